;; Calls WASI in every phase of a guest's life: start function, _initialize, edge_init,
;; edge_restore, edge_alloc and edge_handle. A host that has WASI ready in some of them only, or
;; cannot call it without slices, shows here.
;;
;; Returns {"ok": {"phases": [start, _initialize, init, restore, alloc, handle], "random": bytes}}.
;; Each phase is 0 if all its calls succeeded, 16 or more if a file of the host was in reach, else
;; the sum of the errors, and null if it never ran (or not in what the snapshot kept).
(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (memory (export "memory") 1)

  (data (i32.const 16) "\a1\62ok\a2\66phases\86\f6\f6\f6\f6\f6\f6\66random\50________________")
  (global $phases i32 (i32.const 29))  ;; where the six nulls stand
  (global $entropy i32 (i32.const 43)) ;; where the sixteen bytes stand
  (data (i32.const 128) "a line\0a")
  (data (i32.const 144) "\80\00\00\00\07\00\00\00") ;; the line as fd_write wants it

  (func $touch (param $phase i32) (local $errors i32)
    (local.set $errors
      (i32.add
        (i32.add
          (i32.add (call $clock (i32.const 0) (i64.const 1) (i32.const 160))
                   (call $clock (i32.const 1) (i64.const 1) (i32.const 160)))
          (i32.add (call $args (i32.const 160) (i32.const 164))
                   (call $environ (i32.const 160) (i32.const 164))))
        (i32.add
          (i32.add (call $random (global.get $entropy) (i32.const 16)) (call $yield))
          (i32.add (call $write (i32.const 1) (i32.const 144) (i32.const 1) (i32.const 160))
                   (call $write (i32.const 2) (i32.const 144) (i32.const 1) (i32.const 160))))))
    (if (i32.gt_u (local.get $errors) (i32.const 15)) (then (local.set $errors (i32.const 15))))
    (if (i32.eqz (call $prestat (i32.const 3) (i32.const 168)))
      (then (local.set $errors (i32.const 16))))
    (i32.store8 (i32.add (global.get $phases) (local.get $phase)) (local.get $errors)))

  (func $start (call $touch (i32.const 0)))
  (start $start)
  (func (export "_initialize") (call $touch (i32.const 1)))
  (func (export "edge_init") (call $touch (i32.const 2)))
  (func (export "edge_restore") (call $touch (i32.const 3)))
  (func (export "edge_alloc") (param i32) (result i32)
    (call $touch (i32.const 4))
    (i32.const 1024))
  (func (export "edge_handle") (param i32 i32) (result i64)
    (call $touch (i32.const 5))
    (i64.const 0x10_0000_002b)))
