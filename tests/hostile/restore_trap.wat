;; edge_restore traps, in every fresh instance.
(module
  (memory (export "memory") 1)
  (data (i32.const 16) "\a1\62ok\65hello")
  (func (export "edge_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "edge_restore") (unreachable))
  (func (export "edge_handle") (param i32 i32) (result i64) (i64.const 0x10_0000_000a)))
