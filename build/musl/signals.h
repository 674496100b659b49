/* A signal's disposition as the kernel has it; x86-64 demands that the caller brings the way back from a handler. */
#ifndef PYINIT_SIGNALS_H
#define PYINIT_SIGNALS_H

#include <stdint.h>

struct kernel_action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};
enum { RESTORER = 0x04000000 }; /* SA_RESTORER */
enum { SIGNAL_SET_BYTES = 8 };

_Static_assert(sizeof(struct kernel_action) == 32, "struct kernel_sigaction of Linux on x86-64");

void pyinit_signal_return(void); /* start.S */

#endif
