/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "eap/methods.h"

#include <stdio.h>
#include <string.h>

#include "common/i18n.h"

static const struct eap_method *const methods[] = {
    &eap_mschapv2,
};

#define N_METHODS (sizeof(methods) / sizeof(methods[0]))

const struct eap_method *eap_method_at(size_t index)
{
    return index < N_METHODS ? methods[index] : NULL;
}

const struct eap_method *eap_method_find(uint8_t type)
{
    for (size_t i = 0; i < N_METHODS; i++) {
        if (methods[i]->type == type) {
            return methods[i];
        }
    }
    return NULL;
}

uint8_t eap_method_type(const char *name)
{
    for (size_t i = 0; i < N_METHODS; i++) {
        if (strcmp(methods[i]->name, name) == 0) {
            return methods[i]->type;
        }
    }
    return 0;
}

const char *eap_type_name(uint8_t type, char *out, size_t cap)
{
    static const struct {
        uint8_t type;
        const char *name;
    } names[] = {
        {EAP_IDENTITY, "Identity"},
        {EAP_NOTIFICATION, "Notification"},
        {EAP_NAK, "Nak"},
        {EAP_MD5, "MD5"},
        {EAP_OTP, "OTP"},
        {EAP_GTC, "GTC"},
        {EAP_TLS, "TLS"},
        {17, "LEAP"},
        {18, "SIM"},
        {EAP_TTLS, "TTLS"},
        {23, "AKA"},
        {EAP_PEAP, "PEAP"},
        {EAP_MSCHAPV2, "MSCHAPv2"},
        {43, "FAST"},
        {47, "PSK"},
        {50, "AKA'"},
        {52, "PWD"},
        {55, "TEAP"},
        {EAP_EXPANDED, "Expanded"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].type == type) {
            snprintf(out, cap, "%s", names[i].name);
            return out;
        }
    }
    snprintf(out, cap, "type %u", (unsigned)type);
    return out;
}

enum eap_verdict eap_fail(struct eap_note *note, enum reason reason, const char *message)
{
    if (note->reason == REASON_NONE) {
        note->reason = reason;
        snprintf(note->message, sizeof(note->message), "%s", _(message));
    }
    return EAP_FAILURE;
}
