;; Grows a table until the host refuses, and returns its size: memory that is not linear memory.
(module
  (memory (export "memory") 1)
  (table $table 1 funcref)
  (data (i32.const 16) "\a1\62ok\1a\00\00\00\00") ;; {"ok": uint32}

  (func (export "edge_alloc") (param i32) (result i32) (i32.const 1024))

  (func $put (param $at i32) (param $byte i32)
    (i32.store8 (local.get $at) (local.get $byte)))

  (func (export "edge_handle") (param i32 i32) (result i64) (local $size i32)
    (loop $again
      (br_if $again
        (i32.ne (table.grow $table (ref.null func) (i32.const 1024)) (i32.const -1))))
    (local.set $size (table.size $table))
    (call $put (i32.const 21) (i32.shr_u (local.get $size) (i32.const 24)))
    (call $put (i32.const 22) (i32.shr_u (local.get $size) (i32.const 16)))
    (call $put (i32.const 23) (i32.shr_u (local.get $size) (i32.const 8)))
    (call $put (i32.const 24) (local.get $size))
    (i64.const 0x10_0000_0009)))
