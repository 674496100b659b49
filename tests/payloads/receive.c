/* receive [COUNT]: says "ready", then one line for each signal it is sent: its number, si_code and si_pid.
 *
 * With COUNT it ends after so many, with exit code 0. It takes all of 1 to 64 but KILL and STOP: raw system calls,
 * because libc hides 32 and 33.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    unsigned long long all = ~0ULL;
    long count = argc > 1 ? atol(argv[1]) : -1;
    if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof all))
        return 99;
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("ready");
    while (count) {
        siginfo_t info;
        if (syscall(SYS_rt_sigtimedwait, &all, &info, NULL, sizeof all) < 0) {
            if (errno == EINTR)
                continue;
            return 98;
        }
        printf("%d %d %d\n", info.si_signo, info.si_code, (int)info.si_pid);
        if (count > 0)
            count--;
    }
    return 0;
}
