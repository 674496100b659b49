/* outside [tell]: leaves its process group for one that a child of its has, says "ready", and ignores TERM; or tells of
 * it: "got 15". */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void got(int number)
{
    (void)number;
    if (write(1, "got 15\n", 7) < 0)
        _exit(98);
}

int main(int argc, char **argv)
{
    char byte;
    int ready[2];
    if (pipe(ready))
        return 97;
    signal(SIGTERM, argc > 1 && !strcmp(argv[1], "tell") ? got : SIG_IGN);
    pid_t child = fork();
    if (child == 0) {
        if (setpgid(0, 0) || write(ready[1], "x", 1) != 1)
            _exit(96);
        for (;;)
            pause();
    }
    if (read(ready[0], &byte, 1) != 1 || setpgid(0, child) || write(1, "ready\n", 6) != 6)
        return 95;
    for (;;)
        pause();
}
