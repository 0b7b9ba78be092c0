;; refused: WM1004 SIMD
(module (func (export "f") (param v128)))
