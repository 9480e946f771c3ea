# SPDX-License-Identifier: MIT
# find_package(ProcessKit), in the installed tree (TREE=installed) or in the build tree.
include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)

if(TREE STREQUAL "installed")
    install_and_move(prefix)
else()
    set(prefix ${BUILD_TREE})
endif()

run(${CMAKE_COMMAND} -G ${GENERATOR} -S ${PROJECT_DIR} -B ${WORK_DIR}/build
    -DCMAKE_BUILD_TYPE=${BUILD_TYPE}
    -DCMAKE_CXX_COMPILER=${CXX}
    "-DCMAKE_CXX_FLAGS=${CXX_FLAGS}"
    -DCMAKE_PREFIX_PATH=${prefix}
    -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF
)
run(${CMAKE_COMMAND} --build ${WORK_DIR}/build --config ${BUILD_TYPE})
check_consumer(${WORK_DIR}/build/consumer ${prefix}/${LIBEXECDIR}/processkit/processkit-keeper)
