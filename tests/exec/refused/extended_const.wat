;; disable: extended-const
;; refused: WM1004 extended constant expressions: switched off by --disable=extended-const
(module (global i32 (i32.add (i32.const 1) (i32.const 2))))
