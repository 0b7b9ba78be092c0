;; Two memories, apart in every access and operation.
;; call: apart => i32:12
;; call: copy => i32:1684234849
;; call: copy_back => i32:1684234849
;; call: fill => i32:-1431655766
;; call: init => i32:1869771365
;; call: sizes => i32:1 i32:2
;; call: grow i32:3 => i32:2 i32:5
;; call: grow i32:4 => i32:-1 i32:2
;; call: end i32:65535 => i32:0
;; call: end i32:131068 => i32:0
;; call: end i32:131069 => trap out of bounds memory access
;; call: copy_past => trap out of bounds memory access
(module
  (memory $a 1)
  (memory $b 2 5)
  (data (memory $b) (i32.const 8) "abcdefgh")
  (data $p "error")
  (func (export "apart") (result i32)
    (i32.store $a (i32.const 0) (i32.const 1))
    (i32.store $b (i32.const 0) (i32.const 2))
    (i32.add (i32.mul (i32.load $a (i32.const 0)) (i32.const 10)) (i32.load $b (i32.const 0))))
  (func (export "copy") (result i32)
    (memory.copy $a $b (i32.const 100) (i32.const 8) (i32.const 4))
    (i32.load $a (i32.const 100)))
  (func (export "copy_back") (result i32)
    (memory.copy $a $b (i32.const 100) (i32.const 8) (i32.const 4))
    (memory.copy $b $a (i32.const 131068) (i32.const 100) (i32.const 4))
    (i32.load $b (i32.const 131068)))
  (func (export "copy_past") (memory.copy $a $b (i32.const 65533) (i32.const 8) (i32.const 4)))
  (func (export "fill") (result i32)
    (memory.fill $b (i32.const 70000) (i32.const 0xaa) (i32.const 4))
    (i32.load $b (i32.const 70000)))
  (func (export "init") (result i32)
    (memory.init $b $p (i32.const 70000) (i32.const 0) (i32.const 5))
    (i32.load $b (i32.const 70000)))
  (func (export "sizes") (result i32 i32) (memory.size $a) (memory.size $b))
  (func (export "grow") (param i32) (result i32 i32) (memory.grow $b (local.get 0)) (memory.size $b))
  (func (export "end") (param i32) (result i32) (i32.load $b (local.get 0))))
