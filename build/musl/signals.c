/* All 64 signals: musl keeps 32 to 34 for itself and hides them; an init must pass on whatever is sent.
 *
 * These replace musl's functions of the same names, with the system calls and nothing else. Thread cancellation,
 * which musl uses these signals for, does not happen here.
 */
#define _GNU_SOURCE
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LAST_SIGNAL = 64 };

_Static_assert(sizeof(sigset_t) >= SIGNAL_SET_BYTES && _Alignof(sigset_t) >= _Alignof(uint64_t), "musl's signal sets");

/* A signal set is an array of words, the first of which holds all 64 signals. */
static uint64_t *bits(const sigset_t *set)
{
    return (uint64_t *)set;
}

static int change(sigset_t *set, int number, int add)
{
    if (number < 1 || number > LAST_SIGNAL) {
        errno = EINVAL;
        return -1;
    }
    uint64_t bit = (uint64_t)1 << (number - 1);
    *bits(set) = add ? *bits(set) | bit : *bits(set) & ~bit;
    return 0;
}

int sigaddset(sigset_t *set, int number)
{
    return change(set, number, 1);
}

int sigdelset(sigset_t *set, int number)
{
    return change(set, number, 0);
}

int sigfillset(sigset_t *set)
{
    *bits(set) = ~(uint64_t)0;
    return 0;
}

int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
    return syscall(SYS_rt_sigprocmask, how, set, old, SIGNAL_SET_BYTES);
}

int pthread_sigmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
    return sigprocmask(how, set, old) < 0 ? errno : 0;
}

int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info, const struct timespec *restrict timeout)
{
    return syscall(SYS_rt_sigtimedwait, set, info, timeout, SIGNAL_SET_BYTES);
}

int sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict info)
{
    return sigtimedwait(set, info, NULL);
}

int sigaction(int number, const struct sigaction *restrict wanted, struct sigaction *restrict old)
{
    struct kernel_action new_action, old_action;
    if (wanted != NULL) {
        new_action = (struct kernel_action){
            .handler = wanted->sa_handler,
            .flags = (unsigned)wanted->sa_flags | RESTORER,
            .restorer = pyinit_signal_return,
            .mask = *bits(&wanted->sa_mask),
        };
    }
    if (syscall(SYS_rt_sigaction, number, wanted == NULL ? NULL : &new_action, old == NULL ? NULL : &old_action,
                SIGNAL_SET_BYTES) < 0) {
        return -1;
    }
    if (old != NULL) {
        old->sa_handler = old_action.handler;
        old->sa_flags = old_action.flags;
        *bits(&old->sa_mask) = old_action.mask;
    }
    return 0;
}
