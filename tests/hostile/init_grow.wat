;; edge_init takes all the memory that it can get, and leaves a nonzero byte in every page.
(module
  (memory (export "memory") 1)
  (data (i32.const 16) "\a1\62ok\65hello")
  (func (export "edge_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "edge_init") (local $page i32)
    (loop $again
      (local.set $page (memory.grow (i32.const 1)))
      (if (i32.ne (local.get $page) (i32.const -1))
        (then
          (i32.store8 (i32.shl (local.get $page) (i32.const 16)) (i32.const 1))
          (br $again)))))
  (func (export "edge_handle") (param i32 i32) (result i64) (i64.const 0x10_0000_000a)))
