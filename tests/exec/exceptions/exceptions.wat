;; Between exceptions.c and itself: tags that either side makes, host functions on the way.
(module
  (import "host" "tag" (tag $host (param i32 i64)))
  (import "host" "fail" (func $fail (param i32)))
  (import "host" "relay" (func $relay (param i32)))
  (tag $own (export "own") (param i32))
  (func (export "throw_own") (param i32) (throw $own (local.get 0)))
  (func (export "catch_host") (param i32) (result i32 i64)
    (try (result i32 i64)
      (do (call $fail (local.get 0)) (i32.const -1) (i64.const -1))
      (catch $host)))
  ;; The host calls throw_own, gets its exception, and hands it on.
  (func (export "catch_relayed") (param i32) (result i32)
    (try (result i32) (do (call $relay (local.get 0)) (i32.const -1)) (catch $own)))
  (func (export "not_caught") (param i32) (try (do (call $fail (local.get 0))) (catch $own (drop))))
  (func (export "catch_loop") (param i32) (result i32) (local i32 i32)
    (loop $next
      (try (do (call $fail (i32.const 1))) (catch_all (local.set 2 (i32.add (local.get 2) (i32.const 1)))))
      (br_if $next (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (local.get 0))))
    (local.get 2)))
