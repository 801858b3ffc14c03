/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/domain_name.h"

#include <ctype.h>
#include <string.h>

#define LABEL_MAX 63

bool domain_name_read(char out[static DOMAIN_NAME_MAX], struct bytes text)
{
    size_t label = 0;

    while (text.len > 0 && (text.data[text.len - 1] == '.' || text.data[text.len - 1] == '\0')) {
        text.len--;
    }
    if (text.len == 0 || text.len >= DOMAIN_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        bool last = i + 1 == text.len || text.data[i + 1] == '.';

        if (c == '.') {
            if (label == 0) {
                return false;
            }
            label = 0;
        } else if ((c < 0x80 && isalnum(c)) || c == '_' || (c == '-' && label > 0 && !last)) {
            if (++label > LABEL_MAX) {
                return false;
            }
        } else {
            return false;
        }
        out[i] = (char)tolower(c);
    }
    out[text.len] = '\0';
    return true;
}

bool domain_name_is_number(const char *name)
{
    const char *dot = strrchr(name, '.');
    const char *last = dot != NULL ? dot + 1 : name;
    bool hex = last[0] == '0' && last[1] == 'x';

    return last[strspn(last, "0123456789")] == '\0' ||
           (hex && last[2 + strspn(last + 2, "0123456789abcdef")] == '\0');
}
