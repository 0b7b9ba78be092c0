;; refused: WM1004 memory64
(module (memory i64 1))
