/* gate FD COMMAND...: waits until FD can be read, or nobody has its other end any more, then becomes COMMAND.
 *
 * Meanwhile a tracer can be attached to it, which then sees COMMAND from its first system call on: under the pid that
 * it will have, and without the tracer as its parent. readv and not read, so that COMMAND's own calls of read are
 * counted from 1.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char byte;
    struct iovec place = {&byte, 1};
    if (argc < 3)
        return 97;
    int gate = atoi(argv[1]);
    if (fcntl(gate, F_SETFD, FD_CLOEXEC) || readv(gate, &place, 1) < 0) {
        perror("gate");
        return 98;
    }
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 99;
}
