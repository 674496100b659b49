/* The five functions of libcap that python-prctl calls, over capget(2) and capset(2).
 *
 * libcap itself asks the kernel for its newest capability before main() is reached: system calls at every start.
 */
#include <sys/capability.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

struct capability_state {
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3];
};

cap_t cap_get_proc(void)
{
    cap_t state = calloc(1, sizeof *state);
    if (state == NULL) {
        return NULL;
    }
    state->header.version = _LINUX_CAPABILITY_VERSION_3;
    if (syscall(SYS_capget, &state->header, state->words) < 0) {
        free(state);
        return NULL;
    }
    return state;
}

int cap_set_proc(cap_t state)
{
    return syscall(SYS_capset, &state->header, state->words);
}

int cap_free(void *state)
{
    free(state);
    return 0;
}

static __u32 *word_of(cap_t state, cap_value_t capability, cap_flag_t flag)
{
    if (capability < 0 || capability >= 32 * _LINUX_CAPABILITY_U32S_3) {
        errno = EINVAL;
        return NULL;
    }
    struct __user_cap_data_struct *word = &state->words[capability / 32];
    switch (flag) {
    case CAP_EFFECTIVE:
        return &word->effective;
    case CAP_PERMITTED:
        return &word->permitted;
    case CAP_INHERITABLE:
        return &word->inheritable;
    }
    errno = EINVAL;
    return NULL;
}

int cap_get_flag(cap_t state, cap_value_t capability, cap_flag_t flag, cap_flag_value_t *value)
{
    const __u32 *word = word_of(state, capability, flag);
    if (word == NULL) {
        return -1;
    }
    *value = *word >> capability % 32 & 1 ? CAP_SET : CAP_CLEAR;
    return 0;
}

int cap_set_flag(cap_t state, cap_flag_t flag, int count, const cap_value_t *capabilities, cap_flag_value_t value)
{
    for (int i = 0; i < count; i++) {
        __u32 *word = word_of(state, capabilities[i], flag);
        if (word == NULL) {
            return -1;
        }
        __u32 bit = (__u32)1 << capabilities[i] % 32;
        *word = value == CAP_SET ? *word | bit : *word & ~bit;
    }
    return 0;
}
