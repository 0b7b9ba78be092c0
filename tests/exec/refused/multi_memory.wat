;; refused: WM1004 multi-memory
(module (memory 1) (memory 1))
