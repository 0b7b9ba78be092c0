;; refused: WM1004 tail calls
(module (func $f (return_call $f)))
