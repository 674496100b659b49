/* A command that is traced from its first instruction on; for the programs that count what it executes. */
#ifndef TRACED_H
#define TRACED_H

#include <err.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    FOLLOW = PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL,
    NOT_STARTED = 127,
    CPUID = 0xa20f, /* its two bytes; compilers put no prefix before it */
};

/* Its processes are followed with these options besides. What it executes first is the execve of `words`. */
static void start_traced(int result, char **words, long options)
{
    int status;
    pid_t pid = fork();

    if (pid < 0)
        err(1, "fork");
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        close(result);
        execve(words[0], words, environ);
        _exit(NOT_STARTED);
    }
    waitpid(pid, &status, __WALL);
    ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(FOLLOW | options));
    ptrace(PTRACE_CONT, pid, NULL, NULL);
}

#endif
