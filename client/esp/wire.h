/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_WIRE_H
#define GODWIT_ESP_WIRE_H

#include <stdint.h>
#include <string.h>

/*
 * Integers in network order at any alignment. The cursor of client/common is for messages; the
 * datapath edits single header fields of packets whose lengths it has checked.
 */

static inline uint16_t get_u16(const uint8_t *at)
{
    return (uint16_t)((unsigned)at[0] << 8 | at[1]);
}

static inline uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void put_u32(uint8_t *at, uint32_t value)
{
    put_u16(at, (uint16_t)(value >> 16));
    put_u16(at + 2, (uint16_t)value);
}

#endif
