# SPDX-License-Identifier: MIT
# A compiler and pkg-config, without CMake's help.
include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)

install_and_move(prefix)
set(ENV{PKG_CONFIG_PATH} "${prefix}/${LIBDIR}/pkgconfig:$ENV{PKG_CONFIG_PATH}")
execute_process(COMMAND ${PKG_CONFIG} --cflags --libs processkit
    OUTPUT_VARIABLE flags RESULT_VARIABLE result OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "pkg-config does not know processkit")
endif()
separate_arguments(flags UNIX_COMMAND "${flags}")
separate_arguments(compiler_flags UNIX_COMMAND "${CXX_FLAGS}")

run(${CXX} ${compiler_flags} -std=c++20 -fPIC ${PROJECT_DIR}/main.cpp -o ${WORK_DIR}/consumer
    ${flags} -Wl,-rpath,${prefix}/${LIBDIR})
check_consumer(${WORK_DIR}/consumer ${prefix}/${LIBEXECDIR}/processkit/processkit-keeper)
