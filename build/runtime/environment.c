/* Make the payload's environment: init's own, unless options change it.
 *
 * It may have megabytes, so it is never turned into a dict, and copied only if something changes.
 */
#define _GNU_SOURCE
#include "environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PID_DIGITS = 10 };

/* Return the value if `entry` is the variable `name`, which ends with NUL or "="; otherwise NULL. */
static inline const char *value_if(const char *entry, const char *name)
{
    if (*entry != *name) {
        return NULL; /* most names differ in the first character */
    }
    while (*name != '\0' && *name != '=' && *entry == *name) {
        entry++;
        name++;
    }
    return *entry == '=' && (*name == '\0' || *name == '=') ? entry + 1 : NULL;
}

const char *pyinit_variable(char **variables, const char *name)
{
    const char *value = NULL;
    for (; value == NULL && *variables != NULL; variables++) {
        value = value_if(*variables, name);
    }
    return value;
}

/* Return the place in `names` of the name of `entry`, or NULL. */
static char **find(char **names, const char *entry)
{
    for (; *names != NULL; names++) {
        if (value_if(entry, *names) != NULL) {
            return names;
        }
    }
    return NULL;
}

static size_t length(char **list)
{
    size_t count = 0;
    while (list[count] != NULL) {
        count++;
    }
    return count;
}

/* Write the digits of a pid to the end of `buffer`; return the first. */
static char *digits(char buffer[PID_DIGITS + 1], unsigned pid)
{
    char *first = buffer + PID_DIGITS;
    *first = '\0';
    do {
        *--first = '0' + pid % 10;
        pid /= 10;
    } while (pid != 0);
    return first;
}

/* Return true if the variable holds init's pid and is to hold the payload's (LISTEN_PID, WATCHDOG_PID). */
static bool is_own_pid(const char *entry, const struct changes *changes)
{
    char buffer[PID_DIGITS + 1];
    return find(changes->own_pid, entry) != NULL && strcmp(strchr(entry, '=') + 1, digits(buffer, getpid())) == 0;
}

static bool is_concerned(char **variables, const struct changes *changes)
{
    if (*changes->assign != NULL) {
        return true;
    }
    for (; *variables != NULL; variables++) {
        if (find(changes->unset, *variables) != NULL || is_own_pid(*variables, changes)) {
            return true;
        }
    }
    return false;
}

bool pyinit_environment_make(struct environment *environment, char **inherited, const struct changes *changes)
{
    environment->variables = inherited;
    if (!is_concerned(inherited, changes)) {
        return true;
    }
    size_t before = length(inherited), assigned = length(changes->assign), texts = 0, count = 0;
    char **copy = malloc((before + assigned + 1) * sizeof *copy);
    char **pid_texts = calloc(before + 1, sizeof *pid_texts);
    char **owned = calloc(before + 1, sizeof *owned);
    char *is_set = calloc(assigned + 1, 1);
    environment->variables = copy;
    environment->pid_texts = pid_texts;
    environment->owned = owned;
    if (copy == NULL || pid_texts == NULL || owned == NULL || is_set == NULL) {
        return false;
    }
    for (; *inherited != NULL; inherited++) {
        char *entry = *inherited, **found;
        if (find(changes->unset, entry) != NULL) {
            continue;
        }
        if ((found = find(changes->assign, entry)) != NULL) {
            if (is_set[found - changes->assign]) {
                continue; /* programs that take the last duplicate would miss the assignment */
            }
            is_set[found - changes->assign] = 1;
            entry = *found;
        } else if (is_own_pid(entry, changes)) {
            size_t name = strchr(entry, '=') + 1 - entry;
            char *text = malloc(name + PID_DIGITS + 1);
            if (text == NULL) {
                return false;
            }
            memcpy(text, entry, name);
            owned[texts] = text;
            pid_texts[texts++] = text + name;
            entry = text;
        }
        copy[count++] = entry;
    }
    for (size_t i = 0; i < assigned; i++) {
        if (!is_set[i]) {
            copy[count++] = changes->assign[i];
        }
    }
    copy[count] = NULL;
    free(is_set);
    return true;
}

void pyinit_environment_write_pid(const struct environment *environment, pid_t pid)
{
    char buffer[PID_DIGITS + 1];
    for (char **text = environment->pid_texts; text != NULL && *text != NULL; text++) {
        strcpy(*text, digits(buffer, pid));
    }
}

void pyinit_environment_free(struct environment *environment)
{
    if (environment->owned != NULL) {
        for (char **text = environment->owned; *text != NULL; text++) {
            free(*text);
        }
        free(environment->variables);
    }
    free(environment->owned);
    free(environment->pid_texts);
}
