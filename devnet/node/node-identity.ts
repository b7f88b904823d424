/** A devnet node has no peers: nobody checks that it holds the key of this. */
export const NODE_ID = 'N12f9Lt5j4aK3EtFCtPxz82pxSiTCTSTTNiPKepuxa93VVhCPPNu'
export const NODE_SOFTWARE = 'DEVN.0.1'
