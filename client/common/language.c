/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/language.h"

#include <locale.h>
#include <string.h>

bool language_is_plain(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len < LANGUAGE_MAX &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.@-") ==
               len;
}

const char *language_of_messages(void)
{
    const char *name = setlocale(LC_MESSAGES, NULL);

    return name != NULL && language_is_plain(name) ? name : NULL;
}
