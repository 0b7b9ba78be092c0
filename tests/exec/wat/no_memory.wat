;; Loops that would be kernels, were there a memory for their results.
;; call: factorial i32:10 => i64:3628800
;; call: xor i32:100000 => i32:466240
(module
  (func (export "factorial") (param $n i32) (result i64)
    (local $r i64)
    (local.set $r (i64.const 1))
    (loop $l
      (local.set $r (i64.mul (local.get $r) (i64.extend_i32_u (local.get $n))))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $r))
  (func (export "xor") (param $n i32) (result i32)
    (local $r i32)
    (loop $l
      (local.set $r (i32.xor (local.get $r) (i32.mul (local.get $n) (i32.const 3))))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $r)))
