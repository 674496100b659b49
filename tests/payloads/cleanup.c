/* cleanup [wrap|slow]: at TERM it starts a clean-up at once, in the handler, and says what became of that: "done" or
 * "killed". That takes 20 milliseconds; slow: half a second.
 *
 * With wrap the next pids that the kernel hands out are the highest and then the lowest (proc(5), ns_last_pid).
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int slow;

static void clean_up(int number)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct timespec time = {0, slow ? 500000000 : 20000000};
        signal(number, SIG_DFL);
        nanosleep(&time, NULL);
        _exit(0);
    }
    waitpid(child, &status, 0);
    const char *said = status == 0 ? "done\n" : "killed\n";
    if (write(1, said, status == 0 ? 5 : 7) < 0)
        _exit(98);
    _exit(5);
}

static void wrap(void)
{
    long highest;
    FILE *file = fopen("/proc/sys/kernel/pid_max", "r");
    if (!file || fscanf(file, "%ld", &highest) != 1 || fclose(file))
        _exit(97);
    file = fopen("/proc/sys/kernel/ns_last_pid", "w");
    if (!file || fprintf(file, "%ld", highest - 2) < 0 || fclose(file))
        _exit(96);
}

int main(int argc, char **argv)
{
    slow = argc > 1 && !strcmp(argv[1], "slow");
    if (argc > 1 && !slow) {
        wrap();
        signal(SIGTERM, SIG_IGN);
        /* The child has the highest pid, and its clean-up one of the lowest. */
        pid_t child = fork();
        if (child) {
            int status;
            waitpid(child, &status, 0);
            _exit(WEXITSTATUS(status));
        }
    }
    struct sigaction action = {.sa_handler = clean_up, .sa_flags = SA_NODEFER};
    sigaction(SIGTERM, &action, NULL);
    if (write(1, "ready\n", 6) < 0)
        _exit(95);
    for (;;)
        pause();
}
