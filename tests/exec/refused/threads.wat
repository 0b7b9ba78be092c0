;; disable: threads
;; refused: WM1004 threads: switched off by --disable=threads
(module (memory 1) (func (result i32) (i32.atomic.load (i32.const 0))))
