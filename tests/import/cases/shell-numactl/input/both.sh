#!/bin/sh
SERVER=/opt/llama/bin/llama-server
numactl --cpunodebind=0 --membind=0 $SERVER -m /mnt/weights/shale-14b-Q6_K.gguf --port 8701 -c 16384 -np 1 -t 16 --numa numactl --alias shale &
FIRST=$!
nohup numactl -N 1 -m 1 -- $SERVER -m /mnt/weights/chert-7b-Q6_K.gguf --port 8702 -c 16384 -np 1 -t 16 --numa numactl --alias chert > chert.log 2>&1 &
OMP_PROC_BIND=close taskset -c 2-5 $SERVER -m /mnt/weights/chert-7b-Q6_K.gguf --port 8703 -c 2048 -np 1 -t 4 --alias tiny &
numactl --interleave=all $SERVER -m /mnt/weights/arkose-235b-Q3_K_M.gguf --port 8704 -c 8192 -np 1 -t 32 --no-mmap --alias arkose &
wait
