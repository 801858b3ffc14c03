/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PKCS#11 module in front of SoftHSM's that behaves badly when it signs, as /run/bed/mood says:
 * "crash"; "slow": like a token that is to be touched; "rights": it does what no module may do, and
 * fails unless all of it is refused; "refuse": the mechanism is not supported; "gone": the token
 * was taken out; "back": it was put in again, and knows nothing of what was before.
 */
#include <dlfcn.h>
#include <errno.h>
#include <p11-kit/pkcs11.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SOFTHSM "/usr/lib/softhsm/libsofthsm2.so"
#define MOOD "/run/bed/mood"

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list);

static CK_FUNCTION_LIST own;
static CK_C_SignInit their_sign_init;
static CK_C_GetTokenInfo their_token_info;
static int came_back;

static int mood_is(const char *wanted)
{
    char mood[16] = "";
    FILE *file = fopen(MOOD, "r");

    if (file != NULL) {
        if (fgets(mood, sizeof mood, file) == NULL) {
            mood[0] = '\0';
        }
        fclose(file);
    }
    return strcmp(mood, wanted) == 0;
}

/* Refused, and for no other reason than that it is. */
static int refused(int result)
{
    return result < 0 && (errno == EPERM || errno == EACCES);
}

static int has_no_rights(void)
{
    char *const none[] = {NULL};

    return refused(execve("/bin/true", none, none)) &&
           refused(symlink("/etc/passwd", "/run/bed/tokens/link")) && refused(kill(getppid(), 0)) &&
           refused(kill(-1, 0)) && refused(mknod("/run/bed/tokens/fifo", S_IFIFO | 0600, 0)) &&
           getuid() != 0 && setuid(0) != 0 && socket(AF_INET, SOCK_RAW, 255) < 0;
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    static const struct timespec touch = {.tv_sec = 2, .tv_nsec = 500000000};

    if (mood_is("crash")) {
        abort();
    }
    if (mood_is("slow")) {
        nanosleep(&touch, NULL);
    }
    if (mood_is("refuse")) {
        return CKR_MECHANISM_INVALID;
    }
    if (mood_is("rights") && !has_no_rights()) {
        return CKR_GENERAL_ERROR;
    }
    if (mood_is("gone")) {
        return CKR_DEVICE_REMOVED;
    }
    if (mood_is("back") && !came_back) {
        came_back = 1;
        return CKR_DEVICE_REMOVED;
    }
    return their_sign_init(session, mechanism, key);
}

static CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
    return mood_is("gone") ? CKR_TOKEN_NOT_PRESENT : their_token_info(slot, info);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
    void *library = dlopen(SOFTHSM, RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get;
    CK_FUNCTION_LIST_PTR theirs = NULL;
    void *symbol = library != NULL ? dlsym(library, "C_GetFunctionList") : NULL;

    memcpy(&get, &symbol, sizeof get);
    if (get == NULL || get(&theirs) != CKR_OK) {
        return CKR_GENERAL_ERROR;
    }
    own = *theirs;
    their_sign_init = own.C_SignInit;
    own.C_SignInit = sign_init;
    their_token_info = own.C_GetTokenInfo;
    own.C_GetTokenInfo = token_info;
    *list = &own;
    return CKR_OK;
}
