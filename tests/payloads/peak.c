/* peak FILE PROGRAM [ARG...]: runs the program and writes to FILE the most memory, in KB, that it or a descendant that
 * it has waited for had (getrusage(2), ru_maxrss). Exits with its exit code, or 255 if a signal has killed it. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc < 3) {
        return 254;
    }
    pid_t child = fork();
    if (child == 0) {
        execv(argv[2], argv + 2);
        _exit(253);
    }
    int status;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        return 252;
    }
    FILE *file = fopen(argv[1], "w");
    if (file == NULL || fprintf(file, "%ld\n", usage.ru_maxrss) < 0 || fclose(file) != 0) {
        return 251;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}
