;; Legacy exception handling: each instruction, what a handler sees of locals, memory and the exception's values, and
;; exceptions on their way through other instances.

(module $tags
  (tag (export "one") (param i32))
  (tag (export "none"))
  (tag (export "many") (param i32 i64 f32 f64 v128 externref))
  (func (export "throw_one") (param i32) (throw 0 (local.get 0)))
  (func (export "throw_none") (throw 1)))
(register "tags" $tags)

;; A module without exceptions between two that have them.
(module $between
  (import "tags" "throw_one" (func $throw (param i32)))
  (func (export "pass") (param i32) (result i32) (call $throw (local.get 0)) (i32.const 5))
  (table (export "table") 1 funcref)
  (elem (i32.const 0) $throw))
(register "between" $between)

(module
  (import "tags" "one" (tag $one (param i32)))
  (import "tags" "none" (tag $none))
  (import "tags" "many" (tag $many (param i32 i64 f32 f64 v128 externref)))
  (import "tags" "throw_one" (func $import_one (param i32)))
  (import "tags" "throw_none" (func $import_none))
  (import "between" "pass" (func $pass (param i32) (result i32)))
  (import "between" "table" (table $table 1 funcref))
  (tag $own (param i32))
  (tag $pair (param i32 i32))
  (memory 1)
  (type $takes (func (param i32)))

  ;; 0: nothing, 1: $one, 2: $none, 3: $own, else a trap
  (func $some (param i32)
    (block $trap
      (block $three
        (block $two
          (block $first
            (block $zero
              (br_table $zero $first $two $three $trap (local.get 0)))
            (return))
          (throw $one (i32.const 100)))
        (throw $none))
      (throw $own (i32.const 300)))
    (unreachable))

  (func (export "some") (param i32) (call $some (local.get 0)))

  (func (export "catch") (param i32) (result i32)
    (try (result i32)
      (do (call $some (local.get 0)) (i32.const 1))
      (catch $one)
      (catch $none (i32.const 200))
      (catch $own (i32.add (i32.const 1)))))

  (func (export "catch_all") (param i32) (result i32)
    (try (result i32)
      (do (call $some (local.get 0)) (i32.const 1))
      (catch $own)
      (catch_all (i32.const 9))))

  (func (export "only_all") (param i32) (result i32)
    (try (result i32) (do (call $some (local.get 0)) (i32.const 1)) (catch_all (i32.const 9))))

  (func (export "no_handler") (param i32) (result i32)
    (try (result i32) (do (call $some (local.get 0)) (i32.const 1))))

  ;; What is thrown in the same function.
  (func (export "here") (param i32) (result i32)
    (try (result i32)
      (do (if (local.get 0) (then (throw $pair (i32.const 30) (local.get 0)))) (i32.const -1))
      (catch $pair (i32.sub))))

  (func (export "multi") (result i32 i64 f32 f64 i64)
    (local v128)
    (try (result i32 i64 f32 f64 i64)
      (do (throw $many (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4) (v128.const i64x2 5 6) (ref.null extern)))
      (catch $many (drop) (i64x2.extract_lane 1))))

  (func (export "values") (param externref) (result externref)
    (try (result externref)
      (do (throw $many (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4) (v128.const i64x2 5 6) (local.get 0)))
      (catch $many (local.set 0) (drop) (drop) (drop) (drop) (drop) (local.get 0))))

  ;; A handler finds locals and memory as they were at the throw.
  (func (export "locals") (param i32) (result i32 i32)
    (local $a i32) (local $b i32)
    (local.set $b (i32.const 77))
    (i32.store (i32.const 0) (i32.const 0))
    (try
      (do
        (local.set $a (i32.const 1))
        (i32.store (i32.const 0) (i32.const 10))
        (call $some (local.get 0))
        (local.set $a (i32.const 2))
        (i32.store (i32.const 0) (i32.const 20))
        (call $some (i32.const 1))
        (local.set $a (i32.const 3)))
      (catch $one (local.set $b))
      (catch_all))
    (i32.add (i32.load (i32.const 0)) (local.get $a)) (local.get $b))

  (func (export "loop") (param i32) (result i32)
    (local $i i32) (local $sum i32)
    (loop $next
      (try
        (do (call $some (i32.rem_u (local.get $i) (i32.const 4))) (local.set $sum (i32.add (local.get $sum) (i32.const 1))))
        (catch $one (local.set $sum (i32.add (local.get $sum))))
        (catch $own (br_if 0) (unreachable))
        (catch_all (local.set $sum (i32.add (local.get $sum) (i32.const 1000)))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get 0))))
    (local.get $sum))

  (func (export "branch_out") (param i32) (result i32)
    (block $out (result i32)
      (try (result i32)
        (do (call $some (local.get 0)) (br $out (i32.const 4)))
        (catch_all (br $out (i32.const 5))))))

  ;; Results of a call that throws are not looked at; those of one that returns are.
  (func $result (param i32) (result i32 i32 i32 i32)
    (call $some (local.get 0)) (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4))
  (func (export "results") (param i32) (result i32 i32 i32 i32)
    (try (result i32 i32 i32 i32)
      (do (call $result (local.get 0)))
      (catch_all (i32.const 5) (i32.const 6) (i32.const 7) (i32.const 8))))

  ;; Nested
  (func (export "nested") (param i32) (result i32)
    (try (result i32)
      (do
        (try (result i32)
          (do (call $some (local.get 0)) (i32.const 1))
          (catch $one (drop) (call $some (i32.const 3)) (i32.const 2))))
      (catch $none (i32.const 3))
      (catch $own)))

  (func (export "rethrow") (param i32) (result i32)
    (try (result i32)
      (do
        (try (result i32)
          (do (call $some (local.get 0)) (i32.const 1))
          (catch_all (rethrow 0))))
      (catch $one (i32.add (i32.const 7)))
      (catch $none (i32.const 8))))

  ;; The outer of two exceptions, after the inner one was caught; several times over.
  (func (export "rethrow_outer") (param i32) (result i32)
    (local $i i32) (local $sum i32)
    (loop $next
      (try
        (do
          (try
            (do (throw $own (local.get $i)))
            (catch $own
              (drop)
              (try (do (call $some (i32.const 1))) (catch $one (drop) (rethrow 1))))))
        (catch $own (local.set $sum (i32.add (local.get $sum)))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get 0))))
    (local.get $sum))

  ;; A handler that could throw again, but does not.
  (func (export "held") (param i32) (result i32)
    (local $i i32) (local $sum i32)
    (loop $next
      (try
        (do (throw $own (local.get $i)))
        (catch $own
          (local.set $sum (i32.add (local.get $sum)))
          (if (i32.eq (local.get $i) (i32.const -1)) (then (rethrow 1)))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get 0))))
    (local.get $sum))

  (func (export "delegate") (param i32) (result i32)
    (try $outer (result i32)
      (do
        (try $skipped (result i32)
          (do (try (result i32) (do (call $some (local.get 0)) (i32.const 1)) (delegate $outer)))
          (catch_all (i32.const 2))))
      (catch $one)
      (catch_all (i32.const 3))))

  (func $to_caller (param i32) (result i32)
    (try (result i32)
      (do (try (result i32) (do (call $some (local.get 0)) (i32.const 1)) (delegate 1)))
      (catch_all (i32.const 2))))
  (func (export "delegate_caller") (param i32) (result i32)
    (try (result i32) (do (call $to_caller (local.get 0))) (catch_all (i32.const 44))))

  (func (export "delegate_block") (param i32) (result i32)
    (try (result i32)
      (do
        (block $b (result i32)
          (try (result i32) (do (call $some (local.get 0)) (i32.const 1)) (delegate $b))))
      (catch_all (i32.const 6))))

  ;; Imports, tables, other instances
  (func (export "import") (param i32) (result i32)
    (try (result i32) (do (call $import_one (local.get 0)) (i32.const 1)) (catch $one)))
  (func (export "import_none") (result i32)
    (try (result i32) (do (call $import_none) (i32.const 1)) (catch $own) (catch $none (i32.const 2))))
  (func (export "through") (param i32) (result i32)
    (try (result i32) (do (call $pass (local.get 0))) (catch $own) (catch $one)))
  (func (export "indirect") (param i32) (result i32)
    (try (result i32)
      (do (call_indirect $table (type $takes) (local.get 0) (i32.const 0)) (i32.const 1))
      (catch $one)))
  (func (export "indirect_trap") (param i32) (result i32)
    (try (result i32)
      (do (call_indirect $table (type $takes) (local.get 0) (i32.const 1)) (i32.const 1))
      (catch_all (i32.const 2))))

  ;; No handler for traps
  (func (export "trap") (result i32)
    (try (result i32) (do (i32.load (i32.const 65536))) (catch_all (i32.const 1))))
  (func $endless (call $endless))
  (func (export "endless") (result i32)
    (try (result i32) (do (call $endless) (i32.const 0)) (catch_all (i32.const 1))))
  (func $deep_throw (param i32)
    (if (local.get 0) (then (call $deep_throw (i32.sub (local.get 0) (i32.const 1)))) (else (throw $own (i32.const 12)))))
  (func (export "deep") (param i32) (result i32)
    (try (result i32) (do (call $deep_throw (local.get 0)) (i32.const 0)) (catch $own)))
  ;; Each frame catches and throws again.
  (func $relay (param i32)
    (try
      (do (if (local.get 0) (then (call $relay (i32.sub (local.get 0) (i32.const 1)))) (else (throw $own (i32.const 0)))))
      (catch $own (throw $own (i32.add (i32.const 1))))))
  (func (export "relay") (param i32) (result i32)
    (try (result i32) (do (call $relay (local.get 0)) (i32.const -1)) (catch $own)))

  ;; The handlers of a function that a tail call has left are gone.
  (func $leaves (param i32) (try (do (return_call $some (local.get 0))) (catch_all)))
  (func (export "tail") (param i32) (result i32)
    (try (result i32) (do (call $leaves (local.get 0)) (i32.const 1)) (catch_all (i32.const 2))))
  (func $returns (param i32) (result i32) (return_call $pass (local.get 0)))
  (func (export "tail_pass") (param i32) (result i32)
    (try (result i32) (do (call $returns (local.get 0))) (catch $one)))

  ;; A loop that could be a kernel, in a function that catches.
  (func (export "fill") (param $n i32) (result i32)
    (local $i i32)
    (try
      (do
        (loop $l
          (i32.store (i32.shl (local.get $i) (i32.const 2)) (i32.mul (local.get $i) (i32.const 3)))
          (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
        (call $some (i32.const 2)))
      (catch_all))
    (i32.load (i32.const 400)))

  ;; A loop that throws when an index is too large: a kernel where none is.
  (func $get (param $i i32) (param $n i32) (result i32)
    (if (i32.ge_u (local.get $i) (local.get $n)) (then (throw $own (local.get $i))))
    (i32.load (i32.shl (local.get $i) (i32.const 2))))
  (func $scale (param $from i32) (param $to i32) (param $n i32)
    (local $i i32)
    (local.set $i (local.get $from))
    (loop $l
      (i32.store offset=4096 (i32.shl (local.get $i) (i32.const 2)) (i32.mul (call $get (local.get $i) (local.get $n)) (i32.const 5)))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $to)))))
  (func (export "scale") (param i32 i32 i32) (result i32 i32)
    (try (result i32)
      (do
        (memory.fill (i32.const 0) (i32.const 1) (i32.const 4096))
        (memory.fill (i32.const 4096) (i32.const 0) (i32.const 4096))
        (call $scale (local.get 0) (local.get 1) (local.get 2))
        (i32.const -1))
      (catch $own))
    (i32.load offset=4096 (i32.shl (i32.sub (local.get 1) (i32.const 1)) (i32.const 2)))))

(assert_return (invoke "some" (i32.const 0)))
(assert_exception (invoke "some" (i32.const 1)))
(assert_exception (invoke "some" (i32.const 2)))
(assert_exception (invoke "some" (i32.const 3)))
(assert_trap (invoke "some" (i32.const 4)) "unreachable")
(assert_return (invoke "catch" (i32.const 0)) (i32.const 1))
(assert_return (invoke "catch" (i32.const 1)) (i32.const 100))
(assert_return (invoke "catch" (i32.const 2)) (i32.const 200))
(assert_return (invoke "catch" (i32.const 3)) (i32.const 301))
(assert_trap (invoke "catch" (i32.const 4)) "unreachable")
(assert_return (invoke "catch_all" (i32.const 0)) (i32.const 1))
(assert_return (invoke "catch_all" (i32.const 1)) (i32.const 9))
(assert_return (invoke "catch_all" (i32.const 3)) (i32.const 300))
(assert_trap (invoke "catch_all" (i32.const 4)) "unreachable")
(assert_return (invoke "only_all" (i32.const 2)) (i32.const 9))
(assert_return (invoke "no_handler" (i32.const 0)) (i32.const 1))
(assert_exception (invoke "no_handler" (i32.const 2)))
(assert_return (invoke "here" (i32.const 0)) (i32.const -1))
(assert_return (invoke "here" (i32.const 4)) (i32.const 26))
(assert_return (invoke "multi") (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4) (i64.const 6))
(assert_return (invoke "values" (ref.extern 7)) (ref.extern 7))
(assert_return (invoke "locals" (i32.const 0)) (i32.const 22) (i32.const 100))
(assert_return (invoke "locals" (i32.const 1)) (i32.const 11) (i32.const 100))
(assert_return (invoke "locals" (i32.const 2)) (i32.const 11) (i32.const 77))
(assert_return (invoke "loop" (i32.const 8)) (i32.const 2202))
(assert_return (invoke "branch_out" (i32.const 0)) (i32.const 4))
(assert_return (invoke "branch_out" (i32.const 1)) (i32.const 5))
(assert_return (invoke "results" (i32.const 0)) (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4))
(assert_return (invoke "results" (i32.const 1)) (i32.const 5) (i32.const 6) (i32.const 7) (i32.const 8))
(assert_return (invoke "nested" (i32.const 0)) (i32.const 1))
(assert_return (invoke "nested" (i32.const 1)) (i32.const 300))
(assert_return (invoke "nested" (i32.const 2)) (i32.const 3))
(assert_return (invoke "rethrow" (i32.const 1)) (i32.const 107))
(assert_return (invoke "rethrow" (i32.const 2)) (i32.const 8))
(assert_exception (invoke "rethrow" (i32.const 3)))
(assert_return (invoke "rethrow_outer" (i32.const 100)) (i32.const 4950))
(assert_return (invoke "held" (i32.const 1000)) (i32.const 499500))
(assert_return (invoke "delegate" (i32.const 0)) (i32.const 1))
(assert_return (invoke "delegate" (i32.const 1)) (i32.const 100))
(assert_return (invoke "delegate" (i32.const 2)) (i32.const 3))
(assert_return (invoke "delegate_caller" (i32.const 2)) (i32.const 44))
(assert_return (invoke "delegate_block" (i32.const 2)) (i32.const 6))
(assert_return (invoke "import" (i32.const 21)) (i32.const 21))
(assert_return (invoke "import_none") (i32.const 2))
(assert_return (invoke "through" (i32.const 22)) (i32.const 22))
(assert_return (invoke "indirect" (i32.const 23)) (i32.const 23))
(assert_trap (invoke "indirect_trap" (i32.const 23)) "undefined element")
(assert_trap (invoke "trap") "out of bounds memory access")
(assert_exhaustion (invoke "endless") "call stack exhausted")
(assert_return (invoke "deep" (i32.const 10000)) (i32.const 12))
(assert_return (invoke "relay" (i32.const 100)) (i32.const 101))
(assert_return (invoke "tail" (i32.const 0)) (i32.const 1))
(assert_return (invoke "tail" (i32.const 1)) (i32.const 2))
(assert_return (invoke "tail_pass" (i32.const 31)) (i32.const 31))
(assert_return (invoke "fill" (i32.const 10000)) (i32.const 300))
(assert_return (invoke "scale" (i32.const 0) (i32.const 1000) (i32.const 1000)) (i32.const -1) (i32.const 84215045))
(assert_return (invoke "scale" (i32.const 0) (i32.const 1000) (i32.const 999)) (i32.const 999) (i32.const 0))
(assert_return (invoke "scale" (i32.const 0) (i32.const 1000) (i32.const 500)) (i32.const 500) (i32.const 0))

;; Tags are told apart by identity, not by type; a tag is what it was imported as.
(module
  (tag $a (param i32)) (tag $b (param i32))
  (func (export "which") (param i32) (result i32)
    (try (result i32)
      (do (if (local.get 0) (then (throw $a (i32.const 1)))) (throw $b (i32.const 2)))
      (catch $b (drop) (i32.const 20))
      (catch $a (drop) (i32.const 10)))))
(assert_return (invoke "which" (i32.const 1)) (i32.const 10))
(assert_return (invoke "which" (i32.const 0)) (i32.const 20))

(module
  (import "tags" "one" (tag $x (param i32)))
  (import "tags" "one" (tag $y (param i32)))
  (export "again" (tag $y))
  (func (export "same") (result i32)
    (try (result i32) (do (throw $x (i32.const 1))) (catch $y (drop) (i32.const 2)) (catch_all (i32.const 3)))))
(assert_return (invoke "same") (i32.const 2))

(assert_unlinkable (module (import "tags" "one" (tag (param i64)))) "incompatible import type")
(assert_unlinkable (module (import "tags" "throw_none" (tag))) "incompatible import type")
(assert_unlinkable (module (import "tags" "none" (func))) "incompatible import type")
(assert_unlinkable (module (import "tags" "absent" (tag))) "unknown import")

(assert_invalid (module (tag (result i32))) "non-empty tag result type")
(assert_invalid (module (func (throw 0))) "unknown tag 0")
(assert_invalid (module (tag (param i32)) (func (throw 0))) "type mismatch")
(assert_invalid (module (func (rethrow 0))) "rethrow not in catch")
(assert_invalid (module (func (try (do (rethrow 0)) (catch_all)))) "rethrow not in catch")
(assert_invalid (module (func (try (do) (catch 0)))) "unknown tag 0")
(assert_invalid (module (tag (param i64)) (func (result i32) (try (result i32) (do (i32.const 1)) (catch 0)))) "type mismatch")
(assert_invalid (module (func (try (do) (delegate 1)))) "unknown label")
(assert_invalid (module (func (export "t") (result i32) (try (result i32) (do) (catch_all (i32.const 1))))) "type mismatch")
