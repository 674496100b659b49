/* sendmsg(2) with as much beside the message as the kernel takes: 253 descriptors.
 *
 * This replaces musl's function, which refuses more than 1,024 bytes of it, 252 descriptors, with ENOMEM. musl's
 * structures have padding where the kernel has the upper halves of lengths, so musl copies them to clear it; CPython,
 * the only caller, makes both with zeros.
 */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(struct msghdr) == 56, "struct user_msghdr of Linux on x86-64");

ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags)
{
    return syscall(SYS_sendmsg, descriptor, message, flags);
}
