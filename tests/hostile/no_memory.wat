;; A guest that speaks the ABI but keeps its memory to itself.
(module
  (memory 1)
  (func (export "edge_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "edge_handle") (param i32 i32) (result i64) (i64.const 0)))
