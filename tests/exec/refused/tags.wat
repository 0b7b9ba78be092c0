;; refused: WM1004 exception handling
(module (tag $e (param i32)) (func (throw $e (i32.const 1))))
