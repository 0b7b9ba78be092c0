;; disable: exceptions
;; refused: WM1004 exception handling: switched off by --disable=exceptions
(module (tag $e (param i32)) (func (throw $e (i32.const 1))))
