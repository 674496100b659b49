/* A system call without libc, which would write errno: for a process that has no thread pointer yet, or that shares
 * init's memory. */
#ifndef PYINIT_SYSTEM_CALL_H
#define PYINIT_SYSTEM_CALL_H

/* Return the kernel's result: a negative errno if the call fails. */
static inline long system_call(long number, long a, long b, long c, long d)
{
    long result;
    register long fourth __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth)
                     : "rcx", "r11", "memory");
    return result;
}

#endif
