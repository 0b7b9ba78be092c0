;; disable: memory64
;; refused: WM1004 memory64: switched off by --disable=memory64
(module (memory i64 1))
