/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Gives a fuzz target its corpus in an ordinary build: "replay_ts" reads tests/fuzz/corpus/fuzz_ts.
 * Everything that a fuzzer found once stays tested, by every compiler.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
    static uint8_t octets[1 << 20];
    FILE *file = fopen(path, "rb");
    uint8_t *exact;
    size_t len;

    if (file == NULL) {
        perror(path);
        return EXIT_FAILURE;
    }
    len = fread(octets, 1, sizeof octets, file);
    fclose(file);
    exact = malloc(len > 0 ? len : 1); /* exactly as long, so that a sanitizer sees an overrun */
    if (exact == NULL) {
        return EXIT_FAILURE;
    }
    memcpy(exact, octets, len);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const char *name = argc > 0 ? strrchr(argv[0], '_') : NULL;
    const char *top = getenv("top_srcdir");
    char folder[2048], path[4096];
    unsigned n = 0, failures = 0;
    struct dirent *entry;
    DIR *dir;

    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/fuzz_%s", top != NULL ? top : TOP_SRCDIR,
             name != NULL ? name + 1 : "");
    dir = opendir(folder);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            failures += replay(path) != EXIT_SUCCESS;
            n++;
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    printf("100%%: Checks: %u, Failures: %u, Errors: %u\n", n, failures, n == 0 ? 1 : 0);
    return n > 0 && failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
