/usr/bin/llama-server -m /mnt/weights/rhyolite-70b-Q4_K_M.gguf --port 9201 -c 4096 -np 1 --prio 2
