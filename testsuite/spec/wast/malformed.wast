;; The binary format: what no decoder may accept.
(module binary "\00asm\01\00\00\00")
(module binary "\00asm" "\01\00\00\00" "\00\02\01a") ;; a custom section with nothing in it
(assert_malformed (module binary "") "unexpected end")
(assert_malformed (module binary "\00as") "unexpected end")
(assert_malformed (module binary "asm\00\01\00\00\00") "magic header not detected")
(assert_malformed (module binary "\00asm\02\00\00\00") "unknown binary version")
(assert_malformed (module binary "\00asm\01\00\00") "unexpected end")
;; Sections: unknown, twice, in the wrong order, too short, too long
(assert_malformed (module binary "\00asm\01\00\00\00\0e\00") "malformed section id")
(assert_malformed (module binary "\00asm\01\00\00\00\01\01\00\01\01\00") "unexpected content after last section")
(assert_malformed (module binary "\00asm\01\00\00\00\03\01\00\01\01\00") "unexpected content after last section")
(assert_malformed (module binary "\00asm\01\00\00\00\01\04\01\60\00") "unexpected end")
(assert_malformed (module binary "\00asm\01\00\00\00\01\05\01\60\00\00\00") "section size mismatch")
(assert_malformed (module binary "\00asm\01\00\00\00\01\03\01\60\00\00") "unexpected end")
(assert_malformed (module binary "\00asm\01\00\00\00\00") "unexpected end")
(assert_malformed (module binary "\00asm\01\00\00\00\00\00") "unexpected end")
(assert_malformed (module binary "\00asm\01\00\00\00\00\02\01\ff") "malformed UTF-8 encoding")
(assert_malformed (module binary "\00asm\01\00\00\00\00\02\05a") "unexpected end")
;; LEB128: more bytes than the type has, bits that are set too many
(assert_malformed (module binary "\00asm\01\00\00\00\05\08\01\00\80\80\80\80\80\00") "integer representation too long")
(assert_malformed (module binary "\00asm\01\00\00\00\05\07\01\00\82\80\80\80\70") "integer too large")
(assert_malformed
  (module binary "\00asm\01\00\00\00\06\0b\01\7f\00\41\80\80\80\80\80\00\0b") "integer representation too long")
(assert_malformed (module binary "\00asm\01\00\00\00\06\0a\01\7f\00\41\80\80\80\80\70\0b") "integer too large")
(assert_malformed (module binary "\00asm\01\00\00\00\06\0a\01\7f\00\41\ff\ff\ff\ff\0f\0b") "integer too large")
(assert_malformed
  (module binary "\00asm\01\00\00\00\06\0f\01\7e\00\42\80\80\80\80\80\80\80\80\80\7e\0b") "integer too large")
;; ... and forms that are longer than they need to be are fine
(module binary "\00asm\01\00\00\00\05\07\01\00\82\80\80\80\00")
(module binary "\00asm\01\00\00\00\06\0a\01\7f\00\41\80\80\80\80\78\0b")
;; Types and imports
(assert_malformed (module binary "\00asm\01\00\00\00\01\05\01\60\01\6e\00") "malformed value type")
(assert_malformed (module binary "\00asm\01\00\00\00\02\05\01\00\00\05\00") "malformed import kind")
(assert_malformed (module binary "\00asm\01\00\00\00\02\06\01\01\80\00\00\00") "malformed UTF-8 encoding")
(assert_malformed (module binary "\00asm\01\00\00\00\06\06\01\7f\02\41\00\0b") "malformed mutability")
(assert_malformed (module binary "\00asm\01\00\00\00\04\04\01\7f\00\00") "malformed reference type")
(assert_malformed (module binary "\00asm\01\00\00\00\05\03\01\08\00") "malformed limits flags")
(assert_malformed (module binary "\00asm\01\00\00\00\07\04\01\00\05\00") "malformed export kind")
;; Functions and code
(assert_malformed
  (module binary "\00asm\01\00\00\00\01\04\01\60\00\00\03\02\01\00") "function and code section have inconsistent lengths")
(assert_malformed (module binary "\00asm\01\00\00\00\0a\04\01\02\00\0b") "function and code section have inconsistent lengths")
(assert_malformed
  (module binary "\00asm\01\00\00\00\01\04\01\60\00\00\03\02\01\00\0a\04\01\02\00\01") "END opcode expected")
(assert_malformed
  (module binary "\00asm\01\00\00\00\01\04\01\60\00\00\03\02\01\00\0a\05\01\03\00\0b\0b") "section size mismatch")
(assert_malformed
  (module binary "\00asm\01\00\00\00\01\04\01\60\00\00\03\02\01\00\0a\06\01\04\00\02\40\0b") "unexpected end")
(assert_malformed
  (module binary "\00asm\01\00\00\00\01\04\01\60\00\00\03\02\01\00\0a\05\01\03\00\05\0b") "unexpected else")
(assert_malformed
  (module binary "\00asm\01\00\00\00\01\04\01\60\00\00\03\02\01\00\0a\05\01\03\00\27\0b") "illegal opcode")
(assert_malformed
  (module binary "\00asm\01\00\00\00\01\04\01\60\00\00\03\02\01\00\0a\06\01\04\00\fc\7f\0b") "illegal opcode")
(assert_malformed ;; 2^32 locals
  (module binary "\00asm\01\00\00\00\01\04\01\60\00\00\03\02\01\00\0a\0c\01\0a\02\ff\ff\ff\ff\0f\7f\01\7f\0b") "too many locals")
(assert_malformed ;; memory.size with an index that is not one zero byte
  (module binary "\00asm\01\00\00\00\01\04\01\60\00\00\03\02\01\00\05\03\01\00\00\0a\08\01\06\00\3f\80\00\1a\0b")
  "zero byte expected")
(assert_malformed ;; a float constant that is cut
  (module binary "\00asm\01\00\00\00\06\07\01\7d\00\43\00\00\00") "unexpected end")
;; Data: count section and segments
(assert_malformed (module binary "\00asm\01\00\00\00\05\03\01\00\00\0c\01\01\0b\01\00")
  "data count and data section have inconsistent lengths")
(assert_malformed (module binary "\00asm\01\00\00\00\05\03\01\00\00\0c\01\01")
  "data count and data section have inconsistent lengths")
(assert_malformed ;; memory.init without a count
  (module binary "\00asm\01\00\00\00\01\04\01\60\00\00\03\02\01\00\05\03\01\00\00"
    "\0a\0e\01\0c\00\41\00\41\00\41\00\fc\08\00\00\0b" "\0b\03\01\01\00") "data count section required")
(assert_malformed (module binary "\00asm\01\00\00\00\05\03\01\00\01\0b\06\01\00\41\00\0b\05") "unexpected end")
