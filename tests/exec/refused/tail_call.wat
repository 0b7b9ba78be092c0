;; disable: tail-call
;; refused: WM1004 tail calls: switched off by --disable=tail-call
(module (func $f (return_call $f)))
