;; v128 through everything that is no lane arithmetic: accesses, globals, calls, tables, control, locals, selection.
;; The lane arithmetic itself is in tests/unit/host_simd.c.
(module
  (type $vv (func (param v128) (result v128)))
  (memory (export "memory") 1)
  (table funcref (elem $double $negate))
  (global $g (mut v128) (v128.const i32x4 1 2 3 4))
  (global $fixed v128 (v128.const i64x2 0x1122334455667788 0x99aabbccddeeff00))
  (data (i32.const 0) "\00\01\02\03\fc\fd\fe\ff\80\7f\81\7e\82\7d\83\7c")
  (data (i32.const 65528) "\01\02\03\04\05\06\07\08")

  (func $double (type $vv) local.get 0 local.get 0 i32x4.add)
  (func $negate (type $vv) local.get 0 i32x4.neg)
  (func $two (param v128 i32 v128) (result v128 i32 v128)
    local.get 2 local.get 1 local.get 0)

;; call: load i32:0 => i64:-283691129372416 i64:8972152882073796480
  (func (export "load") (param i32) (result i64 i64) (local v128)
    (local.set 1 (v128.load (local.get 0)))
    (i64x2.extract_lane 0 (local.get 1)) (i64x2.extract_lane 1 (local.get 1)))
;; call: load8x8_s i32:0 => i32:3 i32:-4 i32:-1
  (func (export "load8x8_s") (param i32) (result i32 i32 i32) (local v128)
    (local.set 1 (v128.load8x8_s (local.get 0)))
    (i16x8.extract_lane_s 3 (local.get 1)) (i16x8.extract_lane_s 4 (local.get 1)) (i16x8.extract_lane_s 7 (local.get 1)))
;; call: load8x8_u i32:0 => i32:3 i32:252 i32:255
  (func (export "load8x8_u") (param i32) (result i32 i32 i32) (local v128)
    (local.set 1 (v128.load8x8_u (local.get 0)))
    (i16x8.extract_lane_s 3 (local.get 1)) (i16x8.extract_lane_s 4 (local.get 1)) (i16x8.extract_lane_s 7 (local.get 1)))
;; call: load16x4_s i32:0 => i32:256 i32:-2
;; call: load16x4_s i32:65528 => i32:513 i32:2055
;; call: load16x4_s i32:65529 => trap out of bounds
  (func (export "load16x4_s") (param i32) (result i32 i32) (local v128)
    (local.set 1 (v128.load16x4_s (local.get 0)))
    (i32x4.extract_lane 0 (local.get 1)) (i32x4.extract_lane 3 (local.get 1)))
;; call: load16x4_u i32:2 => i32:770 i32:32640
  (func (export "load16x4_u") (param i32) (result i32 i32) (local v128)
    (local.set 1 (v128.load16x4_u (local.get 0)))
    (i32x4.extract_lane 0 (local.get 1)) (i32x4.extract_lane 3 (local.get 1)))
;; call: load32x2_s i32:0 => i64:50462976 i64:-66052
  (func (export "load32x2_s") (param i32) (result i64 i64) (local v128)
    (local.set 1 (v128.load32x2_s (local.get 0)))
    (i64x2.extract_lane 0 (local.get 1)) (i64x2.extract_lane 1 (local.get 1)))
;; call: load32x2_u i32:0 => i64:50462976 i64:4294901244
  (func (export "load32x2_u") (param i32) (result i64 i64) (local v128)
    (local.set 1 (v128.load32x2_u (local.get 0)))
    (i64x2.extract_lane 0 (local.get 1)) (i64x2.extract_lane 1 (local.get 1)))
;; call: splats i32:4 => i32:-4 i32:65020 i32:-66052 i64:9115707312802037244
;; call: splats i32:65529 => trap out of bounds
  (func (export "splats") (param i32) (result i32 i32 i32 i64)
    (i8x16.extract_lane_s 9 (v128.load8_splat (local.get 0)))
    (i16x8.extract_lane_u 7 (v128.load16_splat (local.get 0)))
    (i32x4.extract_lane 2 (v128.load32_splat (local.get 0)))
    (i64x2.extract_lane 1 (v128.load64_splat (local.get 0))))
;; call: zeros i32:0 => i64:50462976 i64:0 i64:-283691129372416 i64:0
;; call: zeros i32:65532 => trap out of bounds
  (func (export "zeros") (param i32) (result i64 i64 i64 i64)
    (i64x2.extract_lane 0 (v128.load32_zero (local.get 0)))
    (i64x2.extract_lane 1 (v128.load32_zero (local.get 0)))
    (i64x2.extract_lane 0 (v128.load64_zero (local.get 0)))
    (i64x2.extract_lane 1 (v128.load64_zero (local.get 0))))
;; call: load_lanes i32:4 => i32:-4 i32:0 i32:65020 i32:-66052 i64:9115707312802037244 i64:0
;; call: load_lanes i32:65533 => trap out of bounds
  (func (export "load_lanes") (param i32) (result i32 i32 i32 i32 i64 i64) (local v128)
    (i8x16.extract_lane_s 15 (v128.load8_lane 15 (local.get 0) (local.get 1)))
    (i8x16.extract_lane_s 14 (v128.load8_lane 15 (local.get 0) (local.get 1)))
    (i16x8.extract_lane_u 6 (v128.load16_lane 6 (local.get 0) (local.get 1)))
    (i32x4.extract_lane 1 (v128.load32_lane 1 (local.get 0) (local.get 1)))
    (i64x2.extract_lane 1 (v128.load64_lane 1 (local.get 0) (local.get 1)))
    (i64x2.extract_lane 0 (v128.load64_lane 1 (local.get 0) (local.get 1))))
;; call: store_lanes i32:100 => i64:-7373874953585273600 i64:-8613359393739212920
  (func (export "store_lanes") (param i32) (result i64 i64) (local v128)
    (local.set 1 (global.get $fixed))
    (v128.store8_lane offset=1 3 (local.get 0) (local.get 1))
    (v128.store16_lane offset=2 1 (local.get 0) (local.get 1))
    (v128.store32_lane offset=4 3 (local.get 0) (local.get 1))
    (v128.store64_lane offset=8 0 (local.get 0) (local.get 1))
    (v128.store16_lane offset=14 4 (local.get 0) (i32x4.splat (i32.const 0x88778877)))
    (i64.load (local.get 0)) (i64.load offset=8 (local.get 0)))
;; call: store_trap i32:65520 => i32:7 i32:7
;; call: store_trap i32:65521 => trap out of bounds
;; call: store_trap i32:-1 => trap out of bounds
  (func (export "store_trap") (param i32) (result i32 i32)
    (v128.store (local.get 0) (i8x16.splat (i32.const 7)))
    (i32.load8_u (local.get 0)) (i32.load8_u offset=15 (local.get 0)))
;; call: load_trap i32:65520 => i32:0
;; call: load_trap i32:65521 => trap out of bounds
  (func (export "load_trap") (param i32) (result i32)
    (i32x4.extract_lane 0 (v128.load (local.get 0))))
;; call: unused_load i32:65536 => trap out of bounds
  (func (export "unused_load") (param i32)
    (drop (v128.load32_splat (local.get 0))))
;; call: globals => i32:1 i32:8 i64:-7373874951294615808
  (func (export "globals") (result i32 i32 i64)
    (i32x4.extract_lane 0 (global.get $g))
    (global.set $g (call $double (global.get $g)))
    (i32x4.extract_lane 3 (global.get $g))
    (i64x2.extract_lane 1 (global.get $fixed)))
;; call: indirect i32:0 => i32:6
;; call: indirect i32:1 => i32:-3
;; call: indirect i32:2 => trap undefined element
  (func (export "indirect") (param i32) (result i32)
    (i32x4.extract_lane 2 (call_indirect (type $vv) (i32x4.splat (i32.const 3)) (local.get 0))))
;; call: many => i32:5 i32:9 i32:4
  (func (export "many") (result i32 i32 i32) (local $a v128) (local $b i32) (local $c v128)
    (call $two (i32x4.splat (i32.const 4)) (i32.const 9) (i32x4.splat (i32.const 5)))
    local.set $c local.set $b local.set $a
    (i32x4.extract_lane 3 (local.get $a)) (local.get $b) (i32x4.extract_lane 0 (local.get $c)))
;; call: choose i32:0 => i32:2
;; call: choose i32:5 => i32:1
  (func (export "choose") (param i32) (result i32)
    (i32x4.extract_lane 1
      (select (i32x4.splat (i32.const 1)) (i32x4.splat (i32.const 2)) (local.get 0))))
;; call: choose_typed i32:0 => i32:2
  (func (export "choose_typed") (param i32) (result i32)
    (i32x4.extract_lane 1
      (select (result v128) (i32x4.splat (i32.const 1)) (i32x4.splat (i32.const 2)) (local.get 0))))
;; call: sum i32:10 => i32:45
;; call: sum i32:1 => i32:0
  (func (export "sum") (param $n i32) (result i32) (local $i i32) (local $v v128)
    (loop $next
      (local.set $v (i32x4.add (local.get $v) (i32x4.splat (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $n))))
    (i32x4.extract_lane 3 (local.get $v)))
;; call: block_params i32:3 => i32:8
;; call: block_params i32:0 => i32:5
  (func (export "block_params") (param i32) (result i32)
    (i32x4.splat (i32.const 5))
    (block (param v128) (result v128)
      (br_if 0 (i32.eqz (local.get 0)))
      (i32x4.add (i32x4.splat (local.get 0))))
    i32x4.extract_lane 1)
;; call: shuffle => i64:1297881126202843152 i64:290227123896909824
  (func (export "shuffle") (result i64 i64) (local v128)
    (local.set 0 (i8x16.shuffle 0 16 1 17 2 18 3 19 31 31 15 0 8 24 7 4
      (v128.const i8x16 0x10 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
      (v128.const i8x16 0x20 0 0 0x12 20 21 22 23 24 25 26 27 28 29 30 0)))
    (i64x2.extract_lane 0 (local.get 0)) (i64x2.extract_lane 1 (local.get 0)))
)
