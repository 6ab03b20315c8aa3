/* The probe as bytes of gpustage-capture. */
  .section .rodata
  .globl gpustage_probe_begin, gpustage_probe_end
gpustage_probe_begin:
  .incbin GPUSTAGE_PROBE
gpustage_probe_end:
  .byte 0
  .section .note.GNU-stack, "", @progbits
