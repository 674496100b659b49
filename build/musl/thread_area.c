/* Where libc's thread pointer is set. In place of musl's, which on failure makes libc crash without a word. */
#include <asm/prctl.h>
#include <sys/syscall.h>

/* Without a thread pointer errno cannot be written: no libc here. */
static long raw(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

int __set_thread_area(void *pointer)
{
    static const char message[] = "pyinit: cannot start: arch_prctl was refused (a seccomp profile?)\n";
    if (raw(SYS_arch_prctl, ARCH_SET_FS, (long)pointer, 0) < 0) {
        raw(SYS_write, 2, (long)message, sizeof message - 1);
        raw(SYS_exit_group, 125, 0, 0);
    }
    return 0;
}
