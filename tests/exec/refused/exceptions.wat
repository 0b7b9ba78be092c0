;; refused: WM1004 exception handling
(module (func (try (do) (catch_all))))
