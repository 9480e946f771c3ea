// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_KEEPER_IMAGE_H
#define PROCESSKIT_NATIVE_KEEPER_IMAGE_H

#include <string_view>

namespace ProcessKit::Native {

// The keeper's program file, carried in the library for programs that are deployed without it.
std::string_view keeperImage();

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_KEEPER_IMAGE_H
