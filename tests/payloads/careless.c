/* careless DEFECT COMMAND...: an init that is broken on purpose, for the proof that the soak's checks see it.
 *
 *   none          a plain init: forwards, continues a stopped payload after a stop signal, reaps, passes on the exit
 *                 code, ends those who are left
 *   drops         every 3rd signal is forgotten
 *   doubles       every 3rd signal is sent twice
 *   swaps         a real-time signal arrives as RTMIN+1
 *   coalesces     what waits is forwarded once for each number, as if all signals were standard ones
 *   keeps         every 3rd orphan is not reaped
 *   resumes       a payload that was stopped is continued, a moment later
 *   grows         keeps 10 KB for each orphan
 *   wrong-code    the exit code is one more than the payload's
 *   leaves        ends without those who are left
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *defect;
static sigset_t all;
static pid_t payload;
static int is_stopped;

static int is(const char *name)
{
    return !strcmp(defect, name);
}

static void continue_to_end(int number)
{
    siginfo_t info = {0};
    if (number != SIGTERM && number != SIGINT && number != SIGQUIT)
        return;
    /* TERM (15) is taken before CHLD (17). */
    if (is_stopped || (!waitid(P_PID, payload, &info, WSTOPPED | WNOHANG | WNOWAIT) && info.si_pid))
        kill(payload, SIGCONT);
    is_stopped = 0;
}

static void forward(int number)
{
    static int signals;
    struct timespec none = {0, 0};
    sigset_t same;
    int third = ++signals % 3 == 0;
    sigemptyset(&same);
    sigaddset(&same, number);
    while (is("coalesces") && sigtimedwait(&same, NULL, &none) > 0)
        ;
    if (is("drops") && third)
        return;
    if (is("swaps") && number >= SIGRTMIN)
        number = SIGRTMIN + 1;
    kill(payload, number);
    if (is("doubles") && third)
        kill(payload, number);
    if (number == SIGCONT)
        is_stopped = 0;
    continue_to_end(number);
}

static void stopped(void)
{
    struct timespec moment = {0, 50000000};
    is_stopped = 1;
    if (!is("resumes"))
        return;
    nanosleep(&moment, NULL);
    kill(payload, SIGCONT);
}

static void orphan_ended(pid_t pid)
{
    static int orphans;
    static pid_t kept;
    static char *volatile memory;
    /* Every other look would find this one again: it is left until the next has ended. */
    if (is("keeps") && pid != kept && ++orphans % 3 == 0) {
        kept = pid;
        return;
    }
    if (is("grows"))
        memset(memory = malloc(10000), 1, 10000);
    waitpid(pid, NULL, 0);
}

/* The payload's wait status once it has ended; -1 before. */
static int reap(void)
{
    siginfo_t info = {0};
    int status;
    while (waitpid(payload, &status, WNOHANG | WUNTRACED) > 0)
        if (WIFSTOPPED(status))
            stopped();
        else
            return status;
    while (!waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid && info.si_pid != payload) {
        pid_t before = info.si_pid;
        orphan_ended(before);
        info.si_pid = 0;
        if (is("keeps") && !waitid(P_PID, before, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid)
            break;
    }
    return -1;
}

static void end_all(void)
{
    char path[64], pid[16];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    for (;;) {
        FILE *children = fopen(path, "r");
        int left = children && fscanf(children, "%15s", pid) == 1;
        if (children)
            fclose(children);
        if (!left)
            return;
        kill(atoi(pid), SIGKILL);
        waitpid(atoi(pid), NULL, 0);
    }
}

int main(int argc, char **argv)
{
    int number, status = -1;
    if (argc < 3)
        return 97;
    defect = argv[1];
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    payload = fork();
    if (payload == 0) {
        setpgid(0, 0);
        sigprocmask(SIG_UNBLOCK, &all, NULL);
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    while (status < 0) {
        number = sigwaitinfo(&all, NULL);
        if (number == SIGCHLD)
            status = reap();
        else if (number > 0)
            forward(number);
    }
    if (!is("leaves"))
        end_all();
    return (WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status)) + is("wrong-code");
}
