;; refused: WM1004 threads
(module (memory 1 1 shared))
