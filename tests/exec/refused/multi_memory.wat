;; disable: multi-memory
;; refused: WM1004 multi-memory: switched off by --disable=multi-memory
(module (memory 1) (memory 1))
