/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For measurements: the linker's --wrap brings calls here, and no faster library is asked. */
#include "crypto/crypt.h"

enum err __real_crypt_lanes_new(struct crypt_lanes **out, enum crypt_library library);
enum err __wrap_crypt_lanes_new(struct crypt_lanes **out, enum crypt_library library);

enum err __wrap_crypt_lanes_new(struct crypt_lanes **out, enum crypt_library library)
{
    (void)library;
    return __real_crypt_lanes_new(out, CRYPT_GNUTLS);
}
