;; disable: threads
;; refused: WM1004 threads: switched off by --disable=threads
(module (memory 1 1 shared))
