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
  (func (export "grow") (param $pages i32)
    (if (i32.eq (memory.grow (local.get $pages)) (i32.const -1)) (then unreachable)))
)
