/* stalled PID: copy standard input to standard output, but first be in uninterruptible sleep until 0.4 s after PID
 * exits.
 *
 * Such is a process that waits for a disk, or for a processor on an overloaded machine: it cannot handle a signal, and
 * TERM kills it before it has read a line. vfork(2) suspends it.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        return 2;
    }
    pid_t payload = atoi(argv[1]);
    if (vfork() == 0) {
        while (kill(payload, 0) == 0) {
            usleep(1000);
        }
        usleep(400000);
        _exit(0);
    }
    char buffer[4096];
    ssize_t length;
    while ((length = read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
        if (write(STDOUT_FILENO, buffer, length) != length) {
            return 1;
        }
    }
    return 0;
}
