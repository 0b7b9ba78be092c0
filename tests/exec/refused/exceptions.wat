;; disable: exceptions
;; refused: WM1004 exception handling: switched off by --disable=exceptions
(module (func (try (do) (catch_all))))
