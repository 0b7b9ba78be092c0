;; Loops that reach for the edges of memory; hostile.txt calls them.  See hostile.mjs.
(module
  (memory (export "memory") 2 6)

  ;; store n, n-1, ... at p, p+step, ...
  (func (export "fill") (param $p i32) (param $n i32) (param $step i32)
    (loop $l
      (i32.store (local.get $p) (local.get $n))
      (local.set $p (i32.add (local.get $p) (local.get $step)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "fill_far") (param $p i32) (param $n i32) (param $step i32)
    (loop $l
      (i32.store offset=0xfffffff0 (local.get $p) (local.get $n))
      (local.set $p (i32.add (local.get $p) (local.get $step)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "fill8") (param $p i32) (param $n i32) (param $step i32)
    (loop $l
      (i32.store8 offset=3 (local.get $p) (local.get $n))
      (local.set $p (i32.add (local.get $p) (local.get $step)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  ;; i from 0 in steps until it is exactly the bound
  (func (export "until") (param $p i32) (param $bound i32) (param $step i32) (local $i i32)
    (loop $l
      (i32.store (i32.add (local.get $p) (i32.shl (local.get $i) (i32.const 2))) (local.get $i))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (local.get $step))) (local.get $bound)))))
  (func (export "copy") (param $d i32) (param $s i32) (param $n i32) (param $dd i32) (param $ds i32)
    (loop $l
      (i32.store (local.get $d) (i32.xor (i32.load (local.get $s)) (i32.const 0x5a5a)))
      (local.set $d (i32.add (local.get $d) (local.get $dd)))
      (local.set $s (i32.add (local.get $s) (local.get $ds)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "copy_wide") (param $d i32) (param $s i32) (param $n i32)
    (loop $l
      (i64.store (local.get $d) (i64.add (i64.load (local.get $s)) (i64.const 1)))
      (local.set $d (i32.add (local.get $d) (i32.const 8)))
      (local.set $s (i32.add (local.get $s) (i32.const 8)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))

  ;; d[i] = load(x[i])
  (func (export "raw32") (param $d i32) (param $x i32) (param $n i32)
    (loop $l
      (i32.store (local.get $d) (i32.load (i32.load (local.get $x))))
      (local.set $d (i32.add (local.get $d) (i32.const 4)))
      (local.set $x (i32.add (local.get $x) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "raw16") (param $d i32) (param $x i32) (param $n i32)
    (loop $l
      (i32.store (local.get $d) (i32.load16_s (i32.load (local.get $x))))
      (local.set $d (i32.add (local.get $d) (i32.const 4)))
      (local.set $x (i32.add (local.get $x) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "raw8") (param $d i32) (param $x i32) (param $n i32)
    (loop $l
      (i32.store8 (local.get $d) (i32.load8_u (i32.load (local.get $x))))
      (local.set $d (i32.add (local.get $d) (i32.const 1)))
      (local.set $x (i32.add (local.get $x) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "raw64") (param $d i32) (param $x i32) (param $n i32)
    (loop $l
      (i64.store (local.get $d) (i64.load (i32.load (local.get $x))))
      (local.set $d (i32.add (local.get $d) (i32.const 8)))
      (local.set $x (i32.add (local.get $x) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "far") (param $d i32) (param $x i32) (param $n i32)
    (loop $l
      (i32.store (local.get $d) (i32.load offset=0x10000 (i32.load (local.get $x))))
      (local.set $d (i32.add (local.get $d) (i32.const 4)))
      (local.set $x (i32.add (local.get $x) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "farthest") (param $d i32) (param $x i32) (param $n i32)
    (loop $l
      (i32.store (local.get $d) (i32.load offset=0xffffffff (i32.load (local.get $x))))
      (local.set $d (i32.add (local.get $d) (i32.const 4)))
      (local.set $x (i32.add (local.get $x) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  ;; d[i] = t[x[i]], the index multiplied by 4 in 32 bits
  (func (export "table") (param $d i32) (param $x i32) (param $t i32) (param $n i32)
    (loop $l
      (i32.store (local.get $d)
        (i32.load (i32.add (local.get $t) (i32.shl (i32.load (local.get $x)) (i32.const 2)))))
      (local.set $d (i32.add (local.get $d) (i32.const 4)))
      (local.set $x (i32.add (local.get $x) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "twice") (param $d i32) (param $x i32) (param $n i32)
    (loop $l
      (i32.store (local.get $d) (i32.load (i32.load (i32.load (local.get $x)))))
      (local.set $d (i32.add (local.get $d) (i32.const 4)))
      (local.set $x (i32.add (local.get $x) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  ;; the store first, then a load that depends on what may have been stored
  (func (export "after") (param $d i32) (param $x i32) (param $n i32)
    (loop $l
      (i32.store (local.get $d) (local.get $n))
      (i32.store offset=0x4000 (local.get $d) (i32.load (i32.load (local.get $x))))
      (local.set $d (i32.add (local.get $d) (i32.const 4)))
      (local.set $x (i32.add (local.get $x) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  ;; d[i] = length of the string at x[i]
  (func (export "length") (param $d i32) (param $x i32) (param $n i32) (local $p i32)
    (loop $l
      (local.set $p (i32.load (local.get $x)))
      (block $end
        (loop $s
          (br_if $end (i32.eqz (i32.load8_u (local.get $p))))
          (local.set $p (i32.add (local.get $p) (i32.const 1)))
          (br $s)))
      (i32.store (local.get $d) (i32.sub (local.get $p) (i32.load (local.get $x))))
      (local.set $d (i32.add (local.get $d) (i32.const 4)))
      (local.set $x (i32.add (local.get $x) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  ;; d[i] = sum of the words from x[i] to just before x[i + 1]
  (func (export "rows") (param $d i32) (param $x i32) (param $n i32) (local $p i32) (local $s i32)
    (loop $l
      (local.set $p (i32.load (local.get $x)))
      (local.set $s (i32.const 0))
      (block $end
        (loop $r
          (br_if $end (i32.eq (local.get $p) (i32.load offset=4 (local.get $x))))
          (local.set $s (i32.add (local.get $s) (i32.load (local.get $p))))
          (local.set $p (i32.add (local.get $p) (i32.const 4)))
          (br $r)))
      (i32.store (local.get $d) (local.get $s))
      (local.set $d (i32.add (local.get $d) (i32.const 4)))
      (local.set $x (i32.add (local.get $x) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  ;; d[i] = how many links from x[i] to 0
  (func (export "chase") (param $d i32) (param $x i32) (param $n i32) (local $p i32) (local $s i32)
    (loop $l
      (local.set $p (i32.load (local.get $x)))
      (local.set $s (i32.const 0))
      (block $end
        (loop $r
          (br_if $end (i32.eqz (local.get $p)))
          (local.set $p (i32.load (local.get $p)))
          (local.set $s (i32.add (local.get $s) (i32.const 1)))
          (br $r)))
      (i32.store (local.get $d) (local.get $s))
      (local.set $d (i32.add (local.get $d) (i32.const 4)))
      (local.set $x (i32.add (local.get $x) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "divide") (param $d i32) (param $a i32) (param $b i32) (param $n i32)
    (loop $l
      (i32.store (local.get $d) (i32.div_s (i32.load (local.get $a)) (i32.load (local.get $b))))
      (local.set $d (i32.add (local.get $d) (i32.const 4)))
      (local.set $a (i32.add (local.get $a) (i32.const 4)))
      (local.set $b (i32.add (local.get $b) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "remainder") (param $d i32) (param $a i32) (param $b i32) (param $n i32)
    (loop $l
      (i32.store (local.get $d) (i32.rem_s (i32.load (local.get $a)) (i32.load (local.get $b))))
      (local.set $d (i32.add (local.get $d) (i32.const 4)))
      (local.set $a (i32.add (local.get $a) (i32.const 4)))
      (local.set $b (i32.add (local.get $b) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "convert") (param $d i32) (param $s i32) (param $n i32)
    (loop $l
      (i32.store (local.get $d) (i32.trunc_f32_s (f32.load (local.get $s))))
      (local.set $d (i32.add (local.get $d) (i32.const 4)))
      (local.set $s (i32.add (local.get $s) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "convert_u64") (param $d i32) (param $s i32) (param $n i32)
    (loop $l
      (i64.store (local.get $d) (i64.trunc_f32_u (f32.load (local.get $s))))
      (local.set $d (i32.add (local.get $d) (i32.const 8)))
      (local.set $s (i32.add (local.get $s) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "refuse") (param $d i32) (param $s i32) (param $n i32) (param $what i32)
    (loop $l
      (if (i32.eq (i32.load (local.get $s)) (local.get $what)) (then unreachable))
      (i32.store (local.get $d) (i32.load (local.get $s)))
      (local.set $d (i32.add (local.get $d) (i32.const 4)))
      (local.set $s (i32.add (local.get $s) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  ;; two elements an iteration; the second divides whether its quotient is wanted or not
  (func (export "unlike_copies") (param $d i32) (param $x i32) (param $z i32) (param $n i32) (local $q i32)
    (loop $l
      (if (i32.load (local.get $x))
        (then (i32.store (local.get $d) (i32.div_u (i32.const 1000) (i32.load (local.get $z))))))
      (local.set $q (i32.div_u (i32.const 1000) (i32.load offset=4 (local.get $z))))
      (if (i32.load offset=4 (local.get $x))
        (then (i32.store offset=4 (local.get $d) (local.get $q))))
      (local.set $d (i32.add (local.get $d) (i32.const 8)))
      (local.set $x (i32.add (local.get $x) (i32.const 8)))
      (local.set $z (i32.add (local.get $z) (i32.const 8)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 2))))))
  ;; the same with a load from anywhere
  (func (export "unlike_gathers") (param $d i32) (param $x i32) (param $n i32) (local $v i32)
    (loop $l
      (if (i32.load (local.get $x))
        (then (i32.store (local.get $d) (i32.load (i32.load offset=8 (local.get $x))))))
      (local.set $v (i32.load (i32.load offset=24 (local.get $x))))
      (if (i32.load offset=16 (local.get $x))
        (then (i32.store offset=4 (local.get $d) (local.get $v))))
      (local.set $d (i32.add (local.get $d) (i32.const 8)))
      (local.set $x (i32.add (local.get $x) (i32.const 32)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 2))))))
  ;; eight elements an iteration; a counter that goes below 0 is far above its bound again
  (func (export "below_zero") (param $d i32) (param $n i32) (param $bound i32)
    (loop $l
      (i32.store (local.get $d) (i32.const 1))
      (i32.store offset=4 (local.get $d) (i32.const 1))
      (i32.store offset=8 (local.get $d) (i32.const 1))
      (i32.store offset=12 (local.get $d) (i32.const 1))
      (i32.store offset=16 (local.get $d) (i32.const 1))
      (i32.store offset=20 (local.get $d) (i32.const 1))
      (i32.store offset=24 (local.get $d) (i32.const 1))
      (i32.store offset=28 (local.get $d) (i32.const 1))
      (local.set $d (i32.add (local.get $d) (i32.const 32)))
      (br_if $l (i32.gt_u (local.tee $n (i32.sub (local.get $n) (i32.const 16))) (local.get $bound)))))
  (func (export "below_or_at_zero") (param $d i32) (param $n i32) (param $bound i32)
    (loop $l
      (i32.store (local.get $d) (i32.const 1))
      (i32.store offset=4 (local.get $d) (i32.const 1))
      (i32.store offset=8 (local.get $d) (i32.const 1))
      (i32.store offset=12 (local.get $d) (i32.const 1))
      (local.set $d (i32.add (local.get $d) (i32.const 16)))
      (br_if $l (i32.ge_u (local.tee $n (i32.sub (local.get $n) (i32.const 16))) (local.get $bound)))))
  ;; the place of the largest, found in the array that memory names from the second iteration on
  (func (export "largest_elsewhere") (param $d i32) (param $x i32) (param $p i32) (param $n i32)
      (local $at i32) (local $i i32) (local $y i32)
    (local.set $i (i32.const 1))
    (local.set $y (local.get $x))
    (loop $l
      (local.set $at (select (local.get $i) (local.get $at)
        (i32.gt_u (i32.load (i32.add (local.get $y) (i32.shl (local.get $i) (i32.const 2))))
                  (i32.load (i32.add (local.get $x) (i32.shl (local.get $at) (i32.const 2)))))))
      (local.set $y (i32.load (local.get $p)))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (i32.store (local.get $d) (local.get $at)))
  ;; the elements lie at an address that wraps; with the offset, the largest lies beyond 2^32
  (func (export "largest_wraps") (param $d i32) (param $x i32) (param $at i32) (param $i i32) (param $n i32)
    (loop $l
      (local.set $at (select (local.get $i) (local.get $at)
        (i32.gt_u (i32.load (i32.add (i32.add (local.get $x) (i32.const 16)) (i32.shl (local.get $i) (i32.const 2))))
                  (i32.load offset=16 (i32.add (local.get $x) (i32.shl (local.get $at) (i32.const 2)))))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (i32.store (local.get $d) (local.get $at)))
  ;; two elements an iteration, whose loads and stores stand in another order
  (func (export "unlike_order") (param $d i32) (param $s i32) (param $e i32) (param $n i32) (local $v i32)
    (loop $l
      (i32.store (local.get $d) (local.get $n))
      (i32.store (local.get $e) (i32.load (local.get $s)))
      (local.set $v (i32.load offset=4 (local.get $s)))
      (i32.store offset=4 (local.get $d) (i32.sub (local.get $n) (i32.const 1)))
      (i32.store offset=4 (local.get $e) (local.get $v))
      (local.set $d (i32.add (local.get $d) (i32.const 8)))
      (local.set $s (i32.add (local.get $s) (i32.const 8)))
      (local.set $e (i32.add (local.get $e) (i32.const 8)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 2))))))
  ;; a load beside the copies, of which nothing comes but perhaps a trap
  (func (export "odd_load") (param $d i32) (param $x i32) (param $n i32)
    (loop $l
      (i32.store (local.get $d) (i32.const 1))
      (drop (i32.load (i32.load (local.get $x))))
      (i32.store offset=4 (local.get $d) (i32.const 1))
      (local.set $d (i32.add (local.get $d) (i32.const 8)))
      (local.set $x (i32.add (local.get $x) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 2))))))
  ;; the value that is kept for the next iteration is not the one that is kept for the next element
  (func (export "odd_carry") (param $d i32) (param $s i32) (param $n i32) (local $kept i32) (local $v i32)
    (loop $l
      (local.set $v (i32.load (local.get $s)))
      (i32.store (local.get $d) (i32.sub (local.get $v) (local.get $kept)))
      (i32.store offset=4 (local.get $d) (i32.sub (i32.load offset=4 (local.get $s)) (local.get $v)))
      (local.set $kept (local.get $v))
      (local.set $d (i32.add (local.get $d) (i32.const 8)))
      (local.set $s (i32.add (local.get $s) (i32.const 8)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 2))))))
  ;; rows of four elements an iteration and a remainder that moves in steps of `step`, until a counter meets its bound
  (func (export "rest_in_steps") (param $d i32) (param $w i32) (param $step i32) (local $i i32)
    (loop $l
      (i32.store (i32.add (local.get $d) (i32.shl (local.get $i) (i32.const 2))) (local.get $w))
      (i32.store offset=4 (i32.add (local.get $d) (i32.shl (local.get $i) (i32.const 2))) (local.get $w))
      (i32.store offset=8 (i32.add (local.get $d) (i32.shl (local.get $i) (i32.const 2))) (local.get $w))
      (i32.store offset=12 (i32.add (local.get $d) (i32.shl (local.get $i) (i32.const 2))) (local.get $w))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.and (local.get $w) (i32.const -4)))))
    (local.set $d (i32.add (local.get $d) (i32.shl (local.get $i) (i32.const 2))))
    (loop $r
      (i32.store (local.get $d) (local.get $w))
      (local.set $d (i32.add (local.get $d) (local.get $step)))
      (br_if $r (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $w)))))
  (func (export "rest_of_eights") (param $d i32) (param $w i32) (local $i i32)
    (loop $l
      (i32.store (local.get $d) (local.get $w))
      (i32.store offset=4 (local.get $d) (local.get $w))
      (local.set $d (i32.add (local.get $d) (i32.const 8)))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 2))) (i32.and (local.get $w) (i32.const -2)))))
    (loop $r
      (i32.store (local.get $d) (local.get $w))
      (local.set $d (i32.add (local.get $d) (i32.const 8)))
      (br_if $r (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $w)))))
  (func (export "twos_until") (param $d i32) (param $w i32) (local $i i32)
    (loop $l
      (i32.store (local.get $d) (local.get $w))
      (i32.store offset=4 (local.get $d) (local.get $w))
      (local.set $d (i32.add (local.get $d) (i32.const 8)))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 2))) (local.get $w)))))
  ;; what a point stores first it may load afterwards: the same place, or a part of it
  (func (export "store_then_load") (param $d i32) (param $s i32) (param $e i32) (param $n i32)
    (loop $l
      (i32.store (local.get $d) (local.get $n))
      (i32.store (local.get $e) (i32.load8_u (local.get $s)))
      (local.set $d (i32.add (local.get $d) (i32.const 4)))
      (local.set $s (i32.add (local.get $s) (i32.const 4)))
      (local.set $e (i32.add (local.get $e) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  ;; three words each, stored, loaded and stored over
  (func (export "thrice") (param $d i32) (param $s i32) (param $e i32) (param $n i32)
    (loop $l
      (i32.store (local.get $d) (local.get $n))
      (i32.store offset=4 (local.get $d) (i32.load (local.get $s)))
      (i32.store offset=8 (local.get $e) (local.get $n))
      (i32.store offset=8 (local.get $d) (i32.load offset=4 (local.get $s)))
      (i32.store (local.get $e) (i32.load offset=8 (local.get $s)))
      (local.set $d (i32.add (local.get $d) (i32.const 12)))
      (local.set $s (i32.add (local.get $s) (i32.const 12)))
      (local.set $e (i32.add (local.get $e) (i32.const 12)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  ;; rows by a vector loop and one for the rest; the vector loads reach 8 bytes beyond what is used
  (func (export "widen_rows") (param $d i32) (param $s i32) (param $n i32) (param $rows i32) (param $dd i32) (param $ds i32)
    (local $whole i32) (local $k i32) (local $e i32) (local $t i32)
    (local.set $whole (i32.and (local.get $n) (i32.const 0x7ffffffc)))
    (loop $row
      (local.set $t (i32.const 0))
      (block $done
        (block $rest
          (br_if $rest (i32.lt_u (local.get $n) (i32.const 4)))
          (local.set $k (local.get $whole))
          (local.set $e (local.get $d))
          (local.set $t (local.get $s))
          (loop $l
            (v128.store align=4 (local.get $e) (i32x4.extend_low_i16x8_u (v128.load align=2 (local.get $t))))
            (local.set $e (i32.add (local.get $e) (i32.const 16)))
            (local.set $t (i32.add (local.get $t) (i32.const 8)))
            (br_if $l (local.tee $k (i32.sub (local.get $k) (i32.const 4)))))
          (local.set $t (local.get $whole))
          (br_if $done (i32.eq (local.get $whole) (local.get $n))))
        (local.set $k (i32.sub (local.get $n) (local.get $t)))
        (local.set $e (i32.add (local.get $d) (i32.shl (local.get $t) (i32.const 2))))
        (local.set $t (i32.add (local.get $s) (i32.shl (local.get $t) (i32.const 1))))
        (loop $l
          (i32.store (local.get $e) (i32.load16_u (local.get $t)))
          (local.set $e (i32.add (local.get $e) (i32.const 4)))
          (local.set $t (i32.add (local.get $t) (i32.const 2)))
          (br_if $l (local.tee $k (i32.sub (local.get $k) (i32.const 1))))))
      (local.set $d (i32.add (local.get $d) (local.get $dd)))
      (local.set $s (i32.add (local.get $s) (local.get $ds)))
      (br_if $row (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
  ;; the same with exact loads, and one that nothing uses behind the vector loop
  (func (export "widen_rows_behind") (param $d i32) (param $s i32) (param $n i32) (param $rows i32) (param $dd i32) (param $ds i32)
    (local $whole i32) (local $k i32) (local $e i32) (local $t i32)
    (local.set $whole (i32.and (local.get $n) (i32.const 0x7ffffffc)))
    (loop $row
      (local.set $t (i32.const 0))
      (block $done
        (block $rest
          (br_if $rest (i32.lt_u (local.get $n) (i32.const 4)))
          (local.set $k (local.get $whole))
          (local.set $e (local.get $d))
          (local.set $t (local.get $s))
          (loop $l
            (v128.store align=4 (local.get $e) (v128.load16x4_u align=2 (local.get $t)))
            (local.set $e (i32.add (local.get $e) (i32.const 16)))
            (local.set $t (i32.add (local.get $t) (i32.const 8)))
            (br_if $l (local.tee $k (i32.sub (local.get $k) (i32.const 4)))))
          (drop (i32.load offset=600 (local.get $s)))
          (local.set $t (local.get $whole))
          (br_if $done (i32.eq (local.get $whole) (local.get $n))))
        (local.set $k (i32.sub (local.get $n) (local.get $t)))
        (local.set $e (i32.add (local.get $d) (i32.shl (local.get $t) (i32.const 2))))
        (local.set $t (i32.add (local.get $s) (i32.shl (local.get $t) (i32.const 1))))
        (loop $l
          (i32.store (local.get $e) (i32.load16_u (local.get $t)))
          (local.set $e (i32.add (local.get $e) (i32.const 4)))
          (local.set $t (i32.add (local.get $t) (i32.const 2)))
          (br_if $l (local.tee $k (i32.sub (local.get $k) (i32.const 1))))))
      (local.set $d (i32.add (local.get $d) (local.get $dd)))
      (local.set $s (i32.add (local.get $s) (local.get $ds)))
      (br_if $row (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
  ;; an address that moves by the least number, in a loop that counts down by one
  (func (export "least_step") (param $p i32) (param $n i32) (local $i i64) (local $q i64)
    (local.set $q (i64.extend_i32_u (local.get $p)))
    (loop $row
      (local.set $i (i64.const 16))
      (loop $l
        (i32.store (i32.wrap_i64 (local.get $q)) (local.get $n))
        (local.set $q (i64.add (local.get $q) (i64.const 0x8000000000000000)))
        (br_if $l (i64.ne (local.tee $i (i64.sub (local.get $i) (i64.const 1))) (i64.const 0))))
      (local.set $q (i64.add (local.get $q) (i64.const 4)))
      (br_if $row (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "grow") (param $pages i32)
    (if (i32.eq (memory.grow (local.get $pages)) (i32.const -1)) (then unreachable)))
)
