;; Exceptions in the interpreter and natively; testsuite/spec/proposals/exceptions.wast has more.
;; call: catch i32:0 => i32:-1
;; call: catch i32:7 => i32:107
;; call: catch i32:-8 => i32:50
;; call: uncaught i32:7 => trap uncaught exception
;; call: uncaught i32:0 => i32:3
;; call: sum i32:1000 => i32:1499
;; call: rethrown i32:100 => i32:5050
;; call: delegated i32:3 => i32:3
;; call: trap => trap unreachable
;; call: pair => i64:5 f64:1.5
(module
  (tag $odd (param i32))
  (tag $negative)
  (tag $pair (param i64 f64))
  (func $check (param i32)
    (if (i32.lt_s (local.get 0) (i32.const 0)) (then (throw $negative)))
    (if (i32.and (local.get 0) (i32.const 1)) (then (throw $odd (local.get 0)))))
  (func (export "catch") (param i32) (result i32)
    (try (result i32)
      (do (call $check (local.get 0)) (i32.const -1))
      (catch $odd (i32.add (i32.const 100)))
      (catch_all (i32.const 50))))
  (func (export "uncaught") (param i32) (result i32) (call $check (local.get 0)) (i32.const 3))
  (func (export "sum") (param i32) (result i32)
    (local $i i32) (local $sum i32)
    (loop $next
      (try
        (do (call $check (local.get $i)) (local.set $sum (i32.add (local.get $sum) (i32.const 1))))
        (catch $odd (drop) (local.set $sum (i32.add (local.get $sum) (i32.const 2)))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get 0))))
    (i32.sub (local.get $sum) (i32.const 1)))
  (func $relay (param i32) (local i32)
    (try
      (do (if (local.get 0) (then (call $relay (i32.sub (local.get 0) (i32.const 1)))) (else (throw $odd (i32.const 0)))))
      (catch $odd
        (local.set 1)
        (try (do (throw $odd (i32.add (local.get 1) (local.get 0)))) (catch_all (rethrow 0))))))
  (func (export "rethrown") (param i32) (result i32)
    (try (result i32) (do (call $relay (local.get 0)) (i32.const -1)) (catch $odd)))
  (func (export "delegated") (param i32) (result i32)
    (try (result i32)
      (do
        (try (result i32)
          (do (try (result i32) (do (call $check (local.get 0)) (i32.const 0)) (delegate 1)))
          (catch_all (i32.const -2))))
      (catch $odd)))
  (func (export "trap") (result i32) (try (result i32) (do unreachable) (catch_all (i32.const 1))))
  (func $throw_pair (throw $pair (i64.const 5) (f64.const 1.5)))
  (func (export "pair") (result i64 f64)
    (try (result i64 f64)
      (do (call $throw_pair) (i64.const 0) (f64.const 0))
      (catch $pair))))
